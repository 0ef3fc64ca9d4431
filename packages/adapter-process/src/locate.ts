import { InvalidHandleError, UncertainVictimError } from './errors.ts';
import { doubtful } from './evidence.ts';
import type { Looker } from './looker.ts';
import type { SeenProcess } from './snapshot.ts';

/** Looks in a row that must find nothing. */
const emptyLooks = 2;
/** As many handles as an agent can have. A kill of any one of them reaches all that carry the mark. */
export const maxRoots = 16;

/**
 * The living processes of the agent that have no living parent of the agent's, oldest first.
 * @throws InvalidHandleError, UncertainVictimError, ProcUnreadableError, or the signal's reason
 */
export async function locate(
  looker: Looker,
  agentId: string,
  signal: AbortSignal,
): Promise<readonly SeenProcess[]> {
  for (let looks = 0; looks < emptyLooks; looks += 1) {
    const { tree, snapshot, clear } = await looker.lookSurely({ agentId }, signal);
    if (tree.holdsSelf) {
      throw new InvalidHandleError(`Agent ${agentId} holds this very process: end it from outside`);
    }
    const roots = tree.alive.filter(({ ppid }) => {
      const parent = snapshot.get(ppid);
      return parent === undefined || !parent.alive || !tree.processes.has(parent);
    });
    if (roots.length > 0) return roots.sort((a, b) => a.startTime - b.startTime).slice(0, maxRoots);
    if (!clear) {
      const seen = doubtful(tree.doubts) || 'processes that came and went too fast';
      throw new UncertainVictimError(`May belong to agent ${agentId}: ${seen}`);
    }
  }
  return [];
}
