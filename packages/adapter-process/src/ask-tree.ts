import type { Target } from './agent-tree.ts';
import { InvalidHandleError } from './errors.ts';
import type { Looker } from './looker.ts';
import { readStat } from './proc.ts';

/** Asks every process of the agent to end, by SIGTERM. @throws InvalidHandleError, ProcUnreadableError, or the signal's reason */
export async function askTree(looker: Looker, target: Target, signal: AbortSignal): Promise<void> {
  const { tree } = await looker.look(target, signal);
  if (tree.holdsSelf) {
    throw new InvalidHandleError(`Agent ${target.agentId} holds this very process: end it from outside`);
  }
  for (const { pid, startTime } of tree.alive) {
    if (readStat(pid)?.startTime !== startTime) continue;
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // Gone in this moment, or not ours to ask: the grace ends with a kill, which will say so.
    }
  }
}
