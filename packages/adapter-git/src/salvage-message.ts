import type { EntryMeta } from './entry.ts';

const maxNamed = 200;

/** What the commit of a salvage says. The same work gives the same text. */
export function messageOf(
  { agentId, taskId, path, at }: EntryMeta,
  {
    base,
    staged,
    others,
    renamed,
    leftOut,
    isCut,
    unkept,
    fault,
  }: {
    readonly base: string | undefined;
    readonly staged: string | undefined;
    readonly others: readonly string[];
    readonly renamed: readonly Buffer[];
    readonly leftOut: readonly Buffer[];
    readonly isCut: boolean;
    readonly unkept: readonly string[];
    readonly fault: string | undefined;
  },
): string {
  return [
    `Work of agent ${agentId}, salvaged`,
    '',
    `Task: ${taskId}`,
    `Worktree: ${path}`,
    `Removed: ${new Date(at).toISOString()}`,
    ...(base === undefined ? [] : [`Was on: ${base}`]),
    ...(staged === undefined ? [] : [`Staged: ${staged}`]),
    ...others.slice(0, maxNamed).map((each) => `On no branch: ${each}`),
    ...(others.length > maxNamed ? [`On no branch: ${others.length - maxNamed} more`] : []),
    ...(fault === undefined
      ? []
      : ['', `Everything is stored anew, since its base could not be read: ${fault}`]),
    ...listOf('Under another name, since git takes their own from nobody', renamed),
    ...listOf('Left out, over the limits, not readable or no file', leftOut),
    ...(isCut ? ['', 'Left out as well: files beyond a listing of 64 MiB'] : []),
    ...unkept.flatMap((each) => ['', `Not kept: ${each}`]),
    '',
  ].join('\n');
}

function listOf(what: string, paths: readonly Buffer[]): string[] {
  if (paths.length === 0) return [];
  const named = paths.slice(0, maxNamed).map((each) => `  ${JSON.stringify(each.toString())}`);
  const rest = paths.length - named.length;
  return ['', `${what}: ${paths.length}`, ...named, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}
