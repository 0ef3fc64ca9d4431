import { describeError, type Observation } from '@agent-killswitch/core';
import { isPopulated, pidsIn, remove } from './cgroup.ts';
import { readStat } from './proc.ts';

const named = 10;

/**
 * Of an agent in a cgroup of its own: alive while anything lives in there. When it is empty, what is known of the agent's
 * processes in other ways still counts, should some have had the right to move out; strangers that merely cannot be told
 * from its processes do not, since its own are accounted for.
 */
export async function inspectContained(
  home: string,
  root: { readonly pid: number; readonly startTime: number },
  inspectTree: () => Promise<Observation>,
): Promise<Observation> {
  try {
    if (isPopulated(home)) {
      return {
        state: 'alive',
        evidence: `pid ${pidsIn(home).slice(0, named).join(', ')} alive in its cgroup`,
      };
    }
  } catch (error) {
    return { state: 'unknown', evidence: `its cgroup cannot be read: ${describeError(error)}` };
  }
  const seen = await inspectTree();
  if (seen.state === 'alive') return seen;
  if (isPopulated(home)) return { state: 'alive', evidence: 'its cgroup was populated again' };
  // It is on its way into the cgroup: it has not become its command yet.
  if (seen.state === 'unknown' && isRunning(root))
    return { state: 'alive', evidence: `pid ${root.pid} alive` };
  remove(home);
  const more = seen.state === 'dead' ? `${seen.evidence}, ` : '';
  return { state: 'dead', evidence: `${more}its cgroup is empty` };
}

function isRunning({ pid, startTime }: { readonly pid: number; readonly startTime: number }): boolean {
  const stat = readStat(pid);
  return stat?.startTime === startTime && stat.alive;
}
