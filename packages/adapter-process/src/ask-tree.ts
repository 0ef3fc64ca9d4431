import type { Target } from './agent-tree.ts';
import { membersOf } from './cgroup.ts';
import { InvalidHandleError } from './errors.ts';
import type { Looker } from './looker.ts';
import { killProcess } from './signal.ts';

/**
 * Asks every process of the agent to end, by SIGTERM. One that may not be signalled is left: the grace ends with a kill,
 * which says so.
 * @param folder the agent's cgroup, if it has one
 * @throws InvalidHandleError, ProcUnreadableError, or the signal's reason
 */
export async function askTree(
  looker: Looker,
  target: Target,
  folder: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { tree, snapshot } = await looker.look(target, signal);
  if (tree.holdsSelf) {
    throw new InvalidHandleError(`Agent ${target.agentId} holds this very process: end it from outside`);
  }
  const asked = new Set<number>();
  const contained = folder === undefined ? [] : membersOf(folder);
  for (const process of [...tree.alive, ...contained]) {
    if (asked.has(process.pid) || snapshot.guarded.has(process.pid)) continue;
    asked.add(process.pid);
    killProcess(process, 'SIGTERM');
  }
}
