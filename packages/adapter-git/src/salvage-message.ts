import type { EntryMeta } from './entry.ts';

const maxNamed = 200;

/** What the commit of a salvage says. The same work gives the same text. */
export function messageOf(
  { agentId, taskId, path, at }: EntryMeta,
  {
    base,
    staged,
    others,
    leftOut,
    isCut,
    fault,
  }: {
    readonly base: string | undefined;
    readonly staged: string | undefined;
    readonly others: readonly string[];
    readonly leftOut: readonly Buffer[];
    readonly isCut: boolean;
    readonly fault: string | undefined;
  },
): string {
  const named = leftOut.slice(0, maxNamed).map((each) => `  ${JSON.stringify(each.toString())}`);
  const rest = leftOut.length - named.length;
  return [
    `Work of agent ${agentId}, salvaged`,
    '',
    `Task: ${taskId}`,
    `Worktree: ${path}`,
    `Removed: ${new Date(at).toISOString()}`,
    ...(base === undefined ? [] : [`Was on: ${base}`]),
    ...(staged === undefined ? [] : [`Staged: ${staged}`]),
    ...others.map((each) => `On no branch: ${each}`),
    ...(fault === undefined
      ? []
      : ['', `Everything is stored anew, since its base could not be read: ${fault}`]),
    ...(leftOut.length === 0 ? [] : ['', `Left out, too much or unreadable: ${leftOut.length}`, ...named]),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
    ...(isCut ? ['', 'Left out as well: files beyond a listing of 64 MiB'] : []),
    '',
  ].join('\n');
}
