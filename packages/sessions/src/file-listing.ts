import { open, opendir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, makeFolder, syncFolder } from './durable-files.ts';
import { NewestPlaces } from './newest-places.ts';
import { isPlace, placeOf, type SessionPlace } from './session-place.ts';

/** So many names are read at once. */
const bufferSize = 1_024;

/** Which sessions there are: an empty file each, named by its place, in a folder for each workspace. */
export class FileListing {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(session: SessionPlace): Promise<void> {
    const folder = join(this.#folder, session.workspaceId);
    await makeFolder(folder);
    try {
      await (await open(join(folder, placeOf(session)), 'wx', 0o600)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      throw error;
    }
    await syncFolder(folder);
  }

  async remove(session: SessionPlace): Promise<void> {
    await unlink(join(this.#folder, session.workspaceId, placeOf(session))).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  /** The `most` newest places before the cursor, of a workspace or of all. */
  async newest(
    most: number,
    cursor: string | undefined,
    workspaceId: string | undefined,
  ): Promise<readonly string[]> {
    const newest = new NewestPlaces(most, cursor);
    const folders = workspaceId === undefined ? this.#workspaces() : [workspaceId];
    for await (const name of folders)
      for await (const place of namesIn(join(this.#folder, name))) if (isPlace(place)) newest.add(place);
    return newest.found;
  }

  async *#workspaces(): AsyncGenerator<string> {
    for await (const name of namesIn(this.#folder)) yield name;
  }
}

/** Names a few at a time, each time in a turn of its own. What is no folder, or gone, has none. */
async function* namesIn(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder, { bufferSize })) yield name;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}
