import { treeName } from './entry.ts';
import { unless } from './errors.ts';
import type { Folder, Name } from './folder.ts';
import { identityOf, type Note, notesOf } from './made.ts';
import { mountsIn } from './mounts.ts';
import { houseName, type Root } from './root.ts';
import { inFolder } from './tree.ts';
import type { Keep } from './within-folders.ts';

/** Whoever fills the root with more must not make a kill wait. */
const maxLooked = 10_000;
const gone = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'];

/** A worktree that lies elsewhere in the root than where it was made. */
export interface Stray {
  readonly parent: Folder;
  readonly name: Buffer;
  readonly path: string;
}

export interface Strayed {
  readonly found: readonly Stray[];
  /** Another is not in the root any more, and not deleted either. */
  readonly isElsewhere: boolean;
}

/**
 * Looks for what was made as this agent's worktree and is not in its place: first in the root, by what the folder is; then
 * whether its `.git` file still has a name that is not known. What was deleted is not elsewhere, nor is what an earlier run
 * set aside.
 */
export async function findStrayed(root: Root, agentId: string, keep: Keep): Promise<Strayed> {
  const inPlace = await root.worktrees.stat(agentId);
  const missing = new Map((await notesOf(root.made, agentId)).map((note) => [note.identity, note]));
  if (inPlace !== undefined) missing.delete(identityOf(inPlace));
  const found: Stray[] = [];
  if (missing.size === 0) return { found, isElsewhere: false };
  for (const path of await search(root, missing)) {
    let parent = root.worktrees;
    for (const name of path.slice(0, -1)) parent = await keep(parent.folder(name));
    const name = path.at(-1) ?? Buffer.alloc(0);
    const stat = await parent.stat(name);
    if (stat === undefined || !missing.delete(identityOf(stat))) continue;
    found.push({ parent, name, path: pathOf(root, path) });
  }
  for (const note of missing.values()) {
    if (await isSomewhere(root, agentId, note)) return { found, isElsewhere: true };
  }
  return { found, isElsewhere: false };
}

/** Level by level, so that what is near is found however much lies deeper. */
async function search(root: Root, wanted: ReadonlyMap<string, Note>): Promise<Buffer[][]> {
  const mounts = new Set((await mountsIn(root.path)).map(({ path }) => path));
  const found: Buffer[][] = [];
  const folders: Buffer[][] = [[]];
  let looked = 0;
  const look = async (folder: Folder, above: Buffer[]): Promise<void> => {
    for await (const entry of folder.entries()) {
      const path = [...above, entry.name];
      if (!entry.isDirectory() || mounts.has(pathOf(root, path))) continue;
      if (above.length === 0 && entry.name.toString() === houseName) continue;
      looked += 1;
      if (looked > maxLooked) return;
      const stat = await folder.stat(entry.name);
      if (stat !== undefined && wanted.has(identityOf(stat))) found.push(path);
      else folders.push(path);
    }
  };
  for (const path of folders) {
    if (looked > maxLooked || found.length === wanted.size) break;
    // Other agents' folders stay as closed as they are.
    await unless(
      gone,
      inFolder(root.path, path, (folder) => look(folder, path), { force: false }),
    );
  }
  return found;
}

/** Whether the worktree's `.git` file has a name besides ours, and those that it has where it was made or set aside. */
async function isSomewhere(root: Root, agentId: string, { identity, pointer }: Note): Promise<boolean> {
  let known = 1n;
  const count = async (folder: Folder, name: Name): Promise<void> => {
    const tree = await unless(gone, folder.folder(name));
    try {
      const file = await tree?.stat('.git');
      if (file?.ino === pointer.ino && file.dev === pointer.dev) known += 1n;
    } finally {
      await tree?.close();
    }
  };
  await count(root.worktrees, agentId);
  // In the order in which entries go on: none is missed.
  for (const place of [root.aside, root.trash]) {
    for await (const { name } of place.entries()) {
      const entry = await unless(gone, place.folder(name));
      if (entry !== undefined) await count(entry, treeName).finally(() => entry.close());
    }
  }
  const [note] = (await notesOf(root.made, agentId)).filter((each) => each.identity === identity);
  return note !== undefined && note.pointer.nlink > known;
}

function pathOf(root: Root, path: readonly Buffer[]): string {
  return [root.path, ...path].join('/');
}
