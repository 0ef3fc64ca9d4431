import { mkdir, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Makes a folder that only this user can read, unless it is there, so that it outlives a loss of power. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Names are on the disk when their folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes files complete or not at all: the old one stays until the new one is on the disk. */
export class DurableFiles {
  /** Being written: a write that hangs and the next one must not share a draft. */
  readonly #drafts = new Set<string>();

  async write(file: string, text: string): Promise<void> {
    const folder = dirname(file);
    const draft = this.#draftFor(join(folder, `.${basename(file)}`));
    this.#drafts.add(draft);
    try {
      const handle = await open(draft, 'w', 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, file);
      await syncFolder(folder);
    } finally {
      this.#drafts.delete(draft);
    }
  }

  /** The same names again and again, so that crashes leave few behind. */
  #draftFor(first: string): string {
    for (let n = 1; ; n++) {
      const draft = n === 1 ? first : `${first}.${n}`;
      if (!this.#drafts.has(draft)) return draft;
    }
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
