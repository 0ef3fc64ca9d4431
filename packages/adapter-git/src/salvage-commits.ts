import { unless } from './errors.ts';
import type { Folder } from './folder.ts';
import { type GitCall, git } from './git.ts';

const maxLogBytes = 33_554_432;
const maxCandidates = 10_000;
const maxCommits = 100_000;
const oid = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Files of a registration that hold commits, one a line, by folder. `autostash`: changes that git put away before a rebase,
 * merge or pull that stopped in a conflict.
 */
const pointers = {
  '': [
    'HEAD',
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

/** The commit of HEAD, or of what another HEAD says; `undefined` if there is none, or it cannot be read. */
export async function headCommit(call: GitCall, head = 'HEAD'): Promise<string | undefined> {
  try {
    const name = `${head.replace(/^ref: /, '')}^{commit}`;
    const { stdout } = await git(call, ['rev-parse', '-q', '--verify', name]);
    const commit = stdout.toString().trim();
    return oid.test(commit) ? commit : undefined;
  } catch {
    call.signal.throwIfAborted();
    return undefined;
  }
}

/** Commits from which all that is to be kept can be reached. */
export interface Tips {
  readonly tips: readonly string[];
  /** There are more, or a reflog could not be read. */
  readonly isCut: boolean;
}

/**
 * The newest commits that the agent made in these worktrees, or had them on, and that no branch, tag or remote has: HEAD,
 * what was undone since, what a merge or rebase was under way with, and what git had put away for it.
 */
export async function unpushedTips(
  call: GitCall,
  registrations: readonly Folder[],
  head: string | undefined,
): Promise<Tips> {
  const candidates = new Set(head === undefined ? [] : [head]);
  let isCut = false;
  for (const registration of registrations) {
    for (const line of await pointersOf(registration)) candidates.add(line);
    const log = await logOf(registration);
    isCut ||= log === 'unreadable';
    for (const line of log === 'unreadable' ? [] : linesOf(log).reverse()) {
      isCut ||= candidates.size >= maxCandidates;
      if (isCut) break;
      const [before, after] = line.split(' ', 2);
      candidates.add(after ?? '').add(before ?? '');
    }
  }
  const named = [...candidates].filter((each) => oid.test(each) && !/^0+$/.test(each));
  const commits = named.length === 0 ? [] : await existing(call, named);
  if (commits.length === 0) return { tips: [], isCut };
  // Not what earlier salvages have: making one again gives the same commit.
  const walk = ['rev-list', '--ignore-missing', '--parents', `--max-count=${maxCommits}`, '--stdin', '--not'];
  const { stdout, isCut: isLong } = await git(call, [...walk, '--branches', '--tags', '--remotes'], {
    input: Buffer.from(commits.map((each) => `${each}\n`).join('')),
  });
  const lines = linesOf(stdout).map((line) => line.split(' '));
  const inner = new Set(lines.flatMap(([, ...parents]) => parents));
  const tips = lines.flatMap(([commit = '']) => (inner.has(commit) ? [] : [commit]));
  return { tips, isCut: isCut || isLong || lines.length >= maxCommits };
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

async function pointersOf(registration: Folder): Promise<string[]> {
  const found: string[] = [];
  for (const [folder, names] of Object.entries(pointers)) {
    for (const name of names) {
      const content = await readIn(registration, folder, name, 65_536);
      if (content !== 'unreadable') found.push(...linesOf(content));
    }
  }
  return found;
}

function logOf(registration: Folder): Promise<Buffer | 'unreadable' | undefined> {
  return readIn(registration, 'logs', 'HEAD', maxLogBytes);
}

/** A file of a folder in the registration, or with `''` of the registration itself; `undefined` if there is none. */
async function readIn(
  registration: Folder,
  name: string,
  file: string,
  maxBytes: number,
): Promise<Buffer | 'unreadable' | undefined> {
  const folder = name === '' ? registration : await unless(['ENOENT', 'ENOTDIR'], registration.folder(name));
  if (folder === undefined) return undefined;
  try {
    const content = await folder.read(file, maxBytes);
    return content ?? ((await folder.stat(file)) === undefined ? undefined : 'unreadable');
  } catch {
    return 'unreadable';
  } finally {
    if (folder !== registration) await folder.close();
  }
}

function linesOf(content: Buffer | undefined): string[] {
  return (content?.toString('latin1') ?? '').split('\n').filter((line) => line !== '');
}
