import type { Folder } from './folder.ts';
import { type GitCall, git } from './git.ts';

const maxLogBytes = 8_388_608;
const maxCandidates = 2_000;
const maxCommits = 100_000;
export const maxParents = 32;
const oid = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Files of a registration that hold commits, one a line, by folder. `autostash`: changes that git put away before a rebase,
 * merge or pull that stopped in a conflict.
 */
const pointers = {
  '': [
    'ORIG_HEAD',
    'MERGE_HEAD',
    'MERGE_AUTOSTASH',
    'CHERRY_PICK_HEAD',
    'REVERT_HEAD',
    'REBASE_HEAD',
    'AUTO_MERGE',
  ],
  'rebase-merge': ['autostash', 'orig-head', 'stopped-sha', 'amend'],
  'rebase-apply': ['autostash', 'orig-head', 'original-commit'],
  sequencer: ['head', 'abort-safety'],
};

/** What a registration's HEAD says, if it is something that git writes there. */
export async function headOf(registration: Folder | undefined): Promise<string | undefined> {
  const head = (await registration?.read('HEAD', 4_096))?.toString().trim();
  if (head === undefined) return undefined;
  const isBranch =
    /^ref: refs\/[^\s\p{Cc}~^:?*[\\]+$/u.test(head) && !/\.\.|\/\.|\/\/|@\{|\.lock$/.test(head);
  return isBranch || oid.test(head) ? head : undefined;
}

/** The commit of HEAD; `undefined` if there is none, or it cannot be read. */
export async function headCommit(call: GitCall): Promise<string | undefined> {
  try {
    const { stdout } = await git(call, ['rev-parse', '-q', '--verify', 'HEAD^{commit}']);
    const commit = stdout.toString().trim();
    return oid.test(commit) ? commit : undefined;
  } catch {
    call.signal.throwIfAborted();
    return undefined;
  }
}

/**
 * The newest commits that the agent made in this worktree, or had it on, and that no branch, tag or remote has: HEAD, what
 * was undone since, and what a merge or rebase was under way with.
 */
export async function unpushedTips(
  call: GitCall,
  registration: Folder | undefined,
  head: string | undefined,
): Promise<string[]> {
  const candidates = new Set(head === undefined ? [] : [head]);
  for (const line of await pointersOf(registration)) candidates.add(line);
  for (const line of linesOf(await logOf(registration)).reverse()) {
    if (candidates.size >= maxCandidates) break;
    const [before, after] = line.split(' ', 2);
    candidates.add(after ?? '').add(before ?? '');
  }
  const named = [...candidates].filter((each) => oid.test(each) && !/^0+$/.test(each));
  if (named.length === 0) return [];
  const commits = await existing(call, named);
  if (commits.length === 0) return [];
  // Not what earlier salvages have: making one again gives the same commit.
  const walk = ['rev-list', '--ignore-missing', '--parents', `--max-count=${maxCommits}`, '--stdin', '--not'];
  const { stdout } = await git(call, [...walk, '--branches', '--tags', '--remotes'], {
    input: Buffer.from(commits.map((each) => `${each}\n`).join('')),
  });
  const lines = linesOf(stdout).map((line) => line.split(' '));
  const inner = new Set(lines.flatMap(([, ...parents]) => parents));
  return lines.flatMap(([commit = '']) => (inner.has(commit) ? [] : [commit]));
}

async function existing(call: GitCall, oids: readonly string[]): Promise<string[]> {
  const { stdout } = await git(call, ['cat-file', '--batch-check'], {
    input: Buffer.from(`${oids.join('\n')}\n`),
  });
  return linesOf(stdout).flatMap((line) => {
    const [found = '', type] = line.split(' ');
    return type === 'commit' ? [found] : [];
  });
}

async function pointersOf(registration: Folder | undefined): Promise<string[]> {
  const found: string[] = [];
  for (const [folder, names] of Object.entries(pointers)) {
    for (const name of names) found.push(...linesOf(await readIn(registration, folder, name, 65_536)));
  }
  return found;
}

function logOf(registration: Folder | undefined): Promise<Buffer | undefined> {
  return readIn(registration, 'logs', 'HEAD', maxLogBytes);
}

/** A file of a folder in the registration, or with `''` of the registration itself. */
async function readIn(
  registration: Folder | undefined,
  name: string,
  file: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (name === '') return registration?.read(file, maxBytes);
  const folder = await registration?.folder(name).catch(() => undefined);
  try {
    return await folder?.read(file, maxBytes);
  } finally {
    await folder?.close();
  }
}

function linesOf(content: Buffer | undefined): string[] {
  return (content?.toString('latin1') ?? '').split('\n').filter((line) => line !== '');
}
