import type { AgentTree, Target } from './agent-tree.ts';
import { InvalidHandleError, SignalRefusedError, UncertainVictimError } from './errors.ts';
import { doubtful, pids } from './evidence.ts';
import type { Looker } from './looker.ts';
import { killGroup, killProcess } from './signal.ts';
import type { SeenProcess } from './snapshot.ts';

/** Looks in a row that must find nothing new: what forked during one look is seen by the next. */
const quietLooks = 2;
/** Looks for which doubts are waited out: what execs or has just ended at one of them can be told at the next. */
const doubtfulLooks = 20;

/**
 * Sends SIGKILL to every process of the agent: looks first, since a killed parent's children can no longer be told by
 * lineage; then again until nothing unsignalled is left.
 * @param isAccountedFor whether nothing of the agent's can be among the processes that cannot be told
 * @throws InvalidHandleError, SignalRefusedError, UncertainVictimError, ProcUnreadableError, or the signal's reason
 */
export async function killTree(
  looker: Looker,
  target: Target,
  signal: AbortSignal,
  isAccountedFor: () => boolean = () => false,
): Promise<void> {
  const signalled = new Set<string>();
  const refused = new Map<string, SeenProcess>();
  for (let quiet = 0, looks = 1; quiet < quietLooks; looks += 1) {
    const { tree, clear } = await looker.look(target, signal);
    if (tree.holdsSelf) {
      throw new InvalidHandleError(`Agent ${target.agentId} holds this very process: end it from outside`);
    }
    const fresh = tree.alive.filter((process) => !signalled.has(identity(process)));
    signalAll(fresh, tree, signalled, refused);
    if (fresh.length === 0 && isAccountedFor()) break;
    quiet = fresh.length === 0 && clear ? quiet + 1 : 0;
    if (fresh.length > 0 || looks < doubtfulLooks) continue;
    if (tree.doubts.length === 0) break;
    const doubts = doubtful(tree.doubts);
    throw new UncertainVictimError(`Not signalled, may belong to agent ${target.agentId}: ${doubts}`);
  }
  if (refused.size > 0) {
    throw new SignalRefusedError(
      `Not allowed to signal ${pids([...refused.values()])} of agent ${target.agentId}: run the host as their user`,
    );
  }
}

function signalAll(
  victims: readonly SeenProcess[],
  tree: AgentTree,
  signalled: Set<string>,
  refused: Map<string, SeenProcess>,
): void {
  for (const pgrp of tree.groups) {
    const witness = victims.find((victim) => victim.pgrp === pgrp);
    if (witness !== undefined) killGroup(pgrp, witness);
  }
  for (const victim of victims) {
    signalled.add(identity(victim));
    if (killProcess(victim) === 'refused') refused.set(identity(victim), victim);
  }
}

function identity({ pid, startTime }: SeenProcess): string {
  return `${pid} ${startTime}`;
}
