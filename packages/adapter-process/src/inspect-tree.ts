import { describeError, type Observation } from '@agent-killswitch/core';
import type { Target } from './agent-tree.ts';
import { death, doubtful, pids } from './evidence.ts';
import type { Look, Looker } from './looker.ts';

/**
 * Two looks in a row must find nothing alive before it is called dead: a process that forks and ends can slip past one.
 * @param options.strangersCount whether processes that may be the agent's keep it from being called dead. Default `true`.
 *   Of an agent whose cgroup is empty they do not, and one look will do.
 */
export async function inspectTree(
  looker: Looker,
  target: Required<Target>,
  signal: AbortSignal,
  { strangersCount = true }: { readonly strangersCount?: boolean } = {},
): Promise<Observation> {
  const look = (): Promise<Look> =>
    strangersCount ? looker.lookSurely(target, signal) : looker.look(target, signal);
  try {
    let last = await look();
    const seen = notDead(last, strangersCount);
    if (seen !== undefined) return seen;
    if (strangersCount) {
      last = await look();
      const again = notDead(last, strangersCount);
      if (again !== undefined) return again;
    }
    const others = last.known.members.size - (last.known.members.has(target.root.pid) ? 1 : 0);
    const evidence = death(target.root, others, last.snapshot);
    looker.forget(target.agentId);
    return { state: 'dead', evidence };
  } catch (thrown) {
    return { state: 'unknown', evidence: describeError(thrown) };
  }
}

function notDead({ tree, clear }: Look, strangersCount: boolean): Observation | undefined {
  if (tree.holdsSelf) return { state: 'alive', evidence: 'this very process belongs to it' };
  if (tree.alive.length > 0) return { state: 'alive', evidence: `${pids(tree.alive)} alive` };
  if (clear || !strangersCount) return undefined;
  const why =
    tree.doubts.length > 0
      ? `may belong to it: ${doubtful(tree.doubts)}`
      : 'processes come and go here too fast to be looked at';
  return { state: 'unknown', evidence: why };
}
