import { chown, unlink, utimes, writeFile } from 'node:fs/promises';
import { GitFailedError } from './errors.ts';
import type { Folder } from './folder.ts';
import { type GitCall, git } from './git.ts';
import { components, inFolder, joined, records } from './tree.ts';

const maxIndexBytes = 268_435_456;

/**
 * Puts the agent's index into the view, dated so far back that git trusts no time stamp in it and compares contents: what
 * was changed with its date put back is found too. Without one that can be read, and holds no forbidden names, that of HEAD; without HEAD an empty one.
 * @returns the tree that was staged, if that can be written
 */
export async function prepareIndex(
  call: GitCall,
  indexFile: string,
  registration: Folder | undefined,
  hasHead: boolean,
): Promise<string | undefined> {
  const index = await registration?.read('index', maxIndexBytes);
  if (index !== undefined) {
    await writeFile(indexFile, index);
    await utimes(indexFile, 1, 1);
    if (call.user !== undefined) await chown(indexFile, call.user.uid, call.user.gid);
    try {
      const staged = (await git(call, ['write-tree'])).stdout.toString().trim();
      if (await isRestorable(call, staged, `${indexFile}-scratch`)) return staged;
    } catch {
      call.signal.throwIfAborted();
      // Unmerged is no fault, unreadable is: tell them apart by reading it.
      const isReadable = await git(call, ['ls-files', '-u', '-z']).then(
        () => true,
        () => false,
      );
      call.signal.throwIfAborted();
      if (isReadable) return undefined;
    }
    await unlink(indexFile);
  }
  await git(call, hasHead ? ['read-tree', 'HEAD'] : ['read-tree', '--empty']);
  return undefined;
}

/**
 * Lets the index tell the truth about the files that are there: flags that make git look away are taken off, and
 * submodules become ordinary folders, since their work is not in this repository.
 */
export async function unhide(call: GitCall, tree: string): Promise<void> {
  const { stdout } = await git(call, ['ls-files', '-s', '-v', '-z']);
  const flagged: Buffer[] = [];
  const submodules: Buffer[] = [];
  for (const record of records(stdout)) {
    const tab = record.indexOf('\t');
    const [tag = 'H', mode] = record.subarray(0, tab).toString('latin1').split(' ');
    const path = Buffer.from(record.subarray(tab + 1));
    // Lower case: assumed unchanged. S: not expected in the working tree.
    if (tag !== tag.toUpperCase() || tag === 'S') flagged.push(path);
    if (mode === '160000' && (await isFilled(tree, path))) submodules.push(path);
  }
  const present = await presentOf(tree, flagged);
  for (const option of ['--no-assume-unchanged', '--no-skip-worktree']) {
    if (present.length > 0)
      await git(call, ['update-index', option, '-z', '--stdin'], { input: joined(present) });
  }
  if (submodules.length > 0)
    await git(call, ['update-index', '--force-remove', '-z', '--stdin'], { input: joined(submodules) });
}

/** Whether git would check the tree out again: an index can be made to hold names that it takes from nobody else. */
export async function isRestorable(call: GitCall, tree: string, scratch: string): Promise<boolean> {
  try {
    await git({ ...call, env: { ...call.env, GIT_INDEX_FILE: scratch } }, ['read-tree', tree]);
    return true;
  } catch {
    call.signal.throwIfAborted();
    return false;
  }
}

/**
 * Sees to it that what the index names is there. Git itself takes the word of the agent's index for much of it.
 * @throws GitFailedError
 */
export async function verify(call: GitCall): Promise<void> {
  const { stdout } = await git(call, ['ls-files', '-s', '-z']);
  const named = new Set<string>();
  for (const record of records(stdout)) {
    const [mode, oid = ''] = record.subarray(0, record.indexOf('\t')).toString('latin1').split(' ');
    if (mode !== '160000') named.add(oid);
  }
  if (named.size === 0) return;
  const input = Buffer.from(`${[...named].join('\n')}\n`);
  const found = await git(call, ['cat-file', '--batch-check=%(objecttype)'], { input });
  if (found.stdout.includes(' missing')) throw new GitFailedError('Objects that its index names are missing');
}

/** Whether anything is in the folder: of a submodule that was never fetched it is empty. */
async function isFilled(tree: string, path: Buffer): Promise<boolean> {
  return inFolder(tree, components(path), async (folder) => {
    for await (const _ of folder.entries()) return true;
    return false;
  }).catch(() => false);
}

async function presentOf(tree: string, paths: readonly Buffer[]): Promise<Buffer[]> {
  const present: Buffer[] = [];
  for (const path of paths) {
    const folders = components(path);
    const name = folders.pop();
    if (name === undefined) continue;
    const stat = await inFolder(tree, folders, (folder) => folder.stat(name)).catch(() => undefined);
    if (stat !== undefined) present.push(path);
  }
  return present;
}
