import { describeError, type Observation } from '@agent-killswitch/core';
import type { Target } from './agent-tree.ts';
import { isPopulated, membersOf, removeHome } from './cgroup.ts';
import { pids } from './evidence.ts';
import { type CgroupRef, type Home, isAdopted } from './home.ts';
import { inspectTree } from './inspect-tree.ts';
import type { Looker } from './looker.ts';

/**
 * Of an agent in a cgroup of its own: alive while anything lives in there. When it is empty, what is known of the agent's
 * processes in other ways still counts, should some have had the right to move out; strangers that merely cannot be told
 * from its processes do not, since its own are accounted for: unless it was adopted, and came in later than
 * some of its own may have left.
 */
export async function inspectContained(
  home: Home,
  { inode, path: named }: CgroupRef,
  looker: Looker,
  target: Required<Target>,
  signal: AbortSignal,
): Promise<Observation> {
  if (home.kind === 'around') return { state: 'alive', evidence: home.because };
  if (home.kind === 'hidden') {
    const seen = await inspectTree(looker, target, signal);
    if (seen.state !== 'dead') return seen;
    return {
      state: 'unknown',
      evidence: `${seen.evidence}, but its cgroup cannot be looked at: ${home.because}`,
    };
  }
  const { folder, path } = home;
  const isAlive = (): boolean => home.kind === 'here' && isPopulated(folder);
  try {
    if (isAlive()) return populated(folder, path);
    const seen = await inspectTree(looker, target, signal, { strangersCount: isAdopted(named) });
    if (seen.state !== 'dead') return seen;
    // Only now: its first process, which is gone, might have joined since. Nobody else ever can.
    if (isAlive()) return populated(folder, path);
    removeHome(folder, inode);
    const how = home.kind === 'gone' ? 'has been removed' : 'is empty';
    return { state: 'dead', evidence: `${seen.evidence}, its cgroup ${path} ${how}` };
  } catch (thrown) {
    return { state: 'unknown', evidence: `its cgroup ${path} cannot be read: ${describeError(thrown)}` };
  }
}

function populated(folder: string, path: string): Observation {
  const members = membersOf(folder);
  const who = members.length > 0 ? pids(members) : 'processes that cannot be seen from here';
  return { state: 'alive', evidence: `${who} alive in its cgroup ${path}` };
}
