import { describeError, type Observation } from '@agent-killswitch/core';
import type { Target } from './agent-tree.ts';
import { death, doubtful, pids } from './evidence.ts';
import type { Look, Looker } from './looker.ts';

/** Two looks in a row must find nothing alive before it is called dead: a process that forks and ends can slip past one. */
export async function inspectTree(
  looker: Looker,
  target: Required<Target>,
  signal: AbortSignal,
): Promise<Observation> {
  try {
    const first = notDead(await looker.lookSurely(target, signal));
    if (first !== undefined) return first;
    const look = await looker.lookSurely(target, signal);
    const second = notDead(look);
    if (second !== undefined) return second;
    const others = look.known.members.size - (look.known.members.has(target.root.pid) ? 1 : 0);
    const evidence = death(target.root, others, look.snapshot);
    looker.forget(target.agentId);
    return { state: 'dead', evidence };
  } catch (thrown) {
    return { state: 'unknown', evidence: describeError(thrown) };
  }
}

function notDead({ tree, clear }: Look): Observation | undefined {
  if (tree.holdsSelf) return { state: 'alive', evidence: 'this very process belongs to it' };
  if (tree.alive.length > 0) return { state: 'alive', evidence: `${pids(tree.alive)} alive` };
  if (clear) return undefined;
  const why =
    tree.doubts.length > 0
      ? `may belong to it: ${doubtful(tree.doubts)}`
      : 'processes come and go here too fast to be looked at';
  return { state: 'unknown', evidence: why };
}
