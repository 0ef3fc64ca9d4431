import { type GitCall, git } from './git.ts';

/** As many parents a commit gets: git itself warns of more. */
const maxParents = 32;

/** @returns the new commit */
export async function commit(
  call: GitCall,
  tree: string,
  parents: readonly string[],
  message: string,
): Promise<string> {
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
  return (await git(call, args, { input: Buffer.from(message) })).stdout.toString().trim();
}

/** As few commits as may be parents of one, from which all of these can be reached. */
export async function gathered(call: GitCall, commits: readonly string[]): Promise<readonly string[]> {
  let rest = commits;
  while (rest.length > maxParents) {
    const tree = await emptyTree(call);
    const groups: string[] = [];
    for (let from = 0; from < rest.length; from += maxParents) {
      const group = rest.slice(from, from + maxParents);
      groups.push(await commit(call, tree, group, 'Commits on no branch\n'));
    }
    rest = groups;
  }
  return rest;
}

export async function treeOf(call: GitCall, commit: string): Promise<string> {
  return (await git(call, ['rev-parse', '--verify', `${commit}^{tree}`])).stdout.toString().trim();
}

export async function emptyTree(call: GitCall): Promise<string> {
  return (await git(call, ['hash-object', '-w', '-t', 'tree', '--stdin'])).stdout.toString().trim();
}

/** What the refs that match point to. */
export async function refsOf(call: GitCall, patterns: readonly string[]): Promise<Map<string, string>> {
  const { stdout } = await git(call, ['for-each-ref', '--format=%(refname) %(objectname)', ...patterns]);
  const lines = stdout.toString().split('\n').filter(Boolean);
  return new Map(lines.map((line) => line.split(' ', 2) as [string, string]));
}

/** Who makes commits, and when: the same work gives the same commit. */
export function authorAt(at: number): Record<string, string> {
  const date = `${Math.floor(at / 1_000)} +0000`;
  const who = { NAME: 'agent-killswitch', EMAIL: 'agent-killswitch@localhost', DATE: date };
  return Object.fromEntries(
    Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
}
