import { createHash, type Hash } from 'node:crypto';
import { systemCode } from './errors.ts';
import { type Entry, Folder } from './folder.ts';
import { isForbidden, storedName } from './stored-name.ts';

/** Git itself does not get below what a path can name, 2,048 folders at most; few of them are held open here. */
const maxDepth = 200;
const maxPointerBytes = 8_192;
const maxTries = 10_000;
const slash = Buffer.from('/');

/** What was done to a tree. */
export interface Storable {
  /** How many things got another name. */
  readonly renamed: number;
  /** Folders that were not looked through, since they lie too deep. */
  readonly tooDeep: readonly Buffer[];
  /** Which folders there are, and when each of them was last changed: the same twice if nothing was renamed between the two. */
  readonly folders: string;
}

/**
 * Makes a tree one that git can store, as far as its owner may: folders that are closed are opened, and what bears a name
 * that git takes from nobody (`.git` of nested repositories, `.GIT`) gets another beside it, never in place of anything.
 * Once done, it finds nothing to do.
 * @throws what the system says when something cannot be renamed
 */
export async function makeStorable(tree: string, signal: AbortSignal): Promise<Storable> {
  const work: Work = { signal, renamed: 0, tooDeep: [], folders: createHash('sha256') };
  const root = await Folder.open(tree);
  try {
    await visit(root, [], work);
  } finally {
    await root.close();
  }
  const { renamed, tooDeep } = work;
  return { renamed, tooDeep, folders: work.folders.digest('hex') };
}

interface Work {
  readonly signal: AbortSignal;
  renamed: number;
  readonly tooDeep: Buffer[];
  readonly folders: Hash;
}

async function visit(folder: Folder, path: readonly Buffer[], work: Work): Promise<void> {
  const forbidden: Entry[] = [];
  for await (const entry of folder.entries()) {
    work.signal.throwIfAborted();
    const isOne = isForbidden(entry.name, entry.isSymbolicLink());
    if (isOne && !(path.length === 0 && (await isGits(folder, entry.name)))) forbidden.push(entry);
    else if (entry.isDirectory()) await descend(folder, path, entry.name, work);
  }
  // Not while the folder is being listed: what is renamed might be listed again.
  for (const entry of forbidden) {
    const name = await rename(folder, entry.name);
    if (name === undefined) continue;
    work.renamed += 1;
    if (entry.isDirectory()) await descend(folder, path, name, work);
  }
  // Last, so that what was renamed while it was listed has left its time.
  const { dev, ino, ctimeNs } = await folder.ownStat();
  for (const name of path) work.folders.update(name).update(slash);
  work.folders.update(`\0${dev}:${ino}:${ctimeNs}\0`);
}

async function descend(parent: Folder, above: readonly Buffer[], name: Buffer, work: Work): Promise<void> {
  const path = [...above, name];
  if (path.length > maxDepth) {
    work.tooDeep.push(Buffer.concat(path.flatMap((each) => [each, slash])));
    return;
  }
  // What even its owner may not open, git says itself.
  const folder = await parent.folder(name, { force: true }).catch(() => undefined);
  if (folder === undefined) return;
  try {
    await visit(folder, path, work);
  } finally {
    await folder.close();
  }
}

/** Whether it is the worktree's own `.git` file, which says nothing but where the repository is. */
async function isGits(root: Folder, name: Buffer): Promise<boolean> {
  if (name.toString() !== '.git') return false;
  const text = await root.read(name, maxPointerBytes);
  return text !== undefined && /^(?:gitdir:[^\n]*\n?)?$/.test(text.toString('latin1'));
}

/** @returns the new name; `undefined` if it is gone */
async function rename(folder: Folder, name: Buffer): Promise<Buffer | undefined> {
  for (let count = 1; count <= maxTries; count++) {
    const newName = storedName(name, count);
    if ((await folder.stat(newName)) !== undefined) continue;
    try {
      await folder.move(name, folder, newName);
      return newName;
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return undefined;
      if (systemCode(thrown) !== 'EACCES') throw thrown;
      // Its owner took their own right to change the folder away.
      await folder.giveRights();
      await folder.move(name, folder, newName);
      return newName;
    }
  }
  throw new Error(`${name} cannot be stored: ${maxTries} other names are taken`);
}
