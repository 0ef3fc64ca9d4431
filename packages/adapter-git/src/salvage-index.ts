import { GitFailedError } from './errors.ts';
import type { Folder } from './folder.ts';
import { type GitCall, git } from './git.ts';
import { type IndexEntry, readEntries, writeEntries } from './index-entries.ts';
import { components, inFolder, joined, records } from './tree.ts';
import type { View } from './view.ts';

/** What an index holds. */
export interface Staged {
  /** All of it, of files in conflict our side. */
  readonly tree: string;
  /** Only files in conflict: the sides there are. */
  readonly sides: readonly { readonly name: string; readonly tree: string }[];
  readonly entries: readonly IndexEntry[];
}

const sideNames = ['', 'common', 'ours', 'theirs'];

/**
 * What was staged, as trees in the view.
 * @returns `lost` if there is an index that cannot be read, or holds names that git takes from nobody
 * @throws GitFailedError if objects that it names are missing
 */
export async function readStaged(
  view: View,
  scratch: string,
  registration: Folder | undefined,
  name: string,
): Promise<Staged | 'lost' | 'none'> {
  const all = await readEntries(view, registration, name);
  if (all === 'none') return 'none';
  if (all === 'unreadable') return 'lost';
  const call = { ...view.call, env: { ...view.call.env, GIT_INDEX_FILE: scratch } };
  // A file that is only intended to be added stands for an empty one.
  await git(call, ['hash-object', '-w', '-t', 'blob', '--stdin']);
  const entries = resolved(all);
  try {
    await writeEntries(call, entries);
  } catch {
    call.signal.throwIfAborted();
    return 'lost';
  }
  const tree = await writeTree(call);
  if (!(await isRestorable(call, tree))) return 'lost';
  const sides: Array<Staged['sides'][number]> = [];
  for (const stage of [1, 2, 3]) {
    const side = all.filter((entry) => entry.stage === stage).map((entry) => ({ ...entry, stage: 0 }));
    if (side.length === 0) continue;
    const sideCall = { ...call, env: { ...call.env, GIT_INDEX_FILE: `${scratch}-${stage}` } };
    await writeEntries(sideCall, side);
    sides.push({ name: sideNames[stage] ?? '', tree: await writeTree(sideCall) });
  }
  return { tree, sides, entries };
}

/** Each path once: of one in conflict our side, else theirs, else what both come from. */
function resolved(entries: readonly IndexEntry[]): IndexEntry[] {
  const rank = [0, 3, 1, 2];
  const chosen = new Map<string, IndexEntry>();
  for (const entry of entries) {
    const key = entry.path.toString('latin1');
    const present = chosen.get(key);
    if (present === undefined || (rank[entry.stage] ?? 4) < (rank[present.stage] ?? 4))
      chosen.set(key, entry);
  }
  return [...chosen.values()].map((entry) => (entry.stage === 0 ? entry : { ...entry, stage: 0 }));
}

/**
 * Makes the index with which a working tree is compared, by contents alone: no date and no flag of the agent's index is in
 * it. Submodules become ordinary folders, since their work is not in this repository. Without `entries` it is that of
 * HEAD; without HEAD an empty one.
 * @param tree the working tree, if there is one
 */
export async function prepareIndex(
  call: GitCall,
  tree: string | undefined,
  entries: readonly IndexEntry[] | undefined,
  hasHead: boolean,
): Promise<void> {
  if (entries === undefined) {
    await git(call, hasHead ? ['read-tree', 'HEAD'] : ['read-tree', '--empty']);
    if (tree !== undefined) await openSubmodules(call, tree);
    return;
  }
  await writeEntries(call, entries);
  if (tree === undefined) return;
  await openSubmodules(call, tree);
  const absent = await absentOf(
    tree,
    entries.filter(({ isSkipped }) => isSkipped),
  );
  if (absent.length > 0)
    await git(call, ['update-index', '--skip-worktree', '-z', '--stdin'], { input: joined(absent) });
}

async function openSubmodules(call: GitCall, tree: string): Promise<void> {
  const { stdout } = await git(call, ['ls-files', '-s', '-z'], { maxBytes: 268_435_456 });
  const filled: Buffer[] = [];
  for (const record of records(stdout)) {
    if (!record.toString('latin1', 0, 7).startsWith('160000 ')) continue;
    const path = record.subarray(record.indexOf('\t') + 1);
    if (await isFilled(tree, path)) filled.push(path);
  }
  if (filled.length > 0)
    await git(call, ['update-index', '--force-remove', '-z', '--stdin'], { input: joined(filled) });
}

/** The index as a tree. @throws GitFailedError if it cannot be checked out again */
export async function soundTree(call: GitCall): Promise<string> {
  const tree = await writeTree(call);
  if (await isRestorable(call, tree)) return tree;
  throw new GitFailedError('Its index holds forbidden names');
}

/** Whether git would check the tree out again: an index can be made to hold names that it takes from nobody else. */
async function isRestorable(call: GitCall, tree: string): Promise<boolean> {
  const scratch = `${call.env.GIT_INDEX_FILE}-scratch`;
  try {
    await git({ ...call, env: { ...call.env, GIT_INDEX_FILE: scratch } }, ['read-tree', tree]);
    return true;
  } catch {
    call.signal.throwIfAborted();
    return false;
  }
}

async function writeTree(call: GitCall): Promise<string> {
  return (await git(call, ['write-tree'])).stdout.toString().trim();
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

async function absentOf(tree: string, entries: readonly IndexEntry[]): Promise<Buffer[]> {
  const absent: Buffer[] = [];
  for (const { path } of entries) {
    const folders = components(path);
    const name = folders.pop();
    if (name === undefined) continue;
    const stat = await inFolder(tree, folders, (folder) => folder.stat(name)).catch(() => undefined);
    if (stat === undefined) absent.push(path);
  }
  return absent;
}
