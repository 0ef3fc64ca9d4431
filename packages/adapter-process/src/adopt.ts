import { DeadlineError } from '@agent-killswitch/core';
import { parseAgentId } from './agent-id.ts';
import { cluesOf, sharesPidNamespace } from './clues.ts';
import { contain } from './contain.ts';
import { InvalidHandleError } from './errors.ts';
import { type ProcessHandle, parseHandle } from './handle.ts';
import type { Looker } from './looker.ts';
import type { Origin } from './origin.ts';
import { readStat } from './proc.ts';

export interface AdoptOptions {
  readonly agentId: string;
  /** Its start time, if you know it: refused if the pid belongs to a later process by now. */
  readonly startTime?: number;
  /**
   * What becomes of processes that it may have lost, where nothing tells whose they are: it carries no mark, and it is in no
   * cgroup of its own or came into it later than they were born. `doubt`: while one lives, the agent is not called dead.
   * `ignore`: you know that they are not its. Default `doubt`.
   */
  readonly orphans?: 'doubt' | 'ignore';
}

export interface AdoptContext {
  readonly runtime: string;
  readonly origin: Origin;
  readonly looker: Looker;
  /** Whether it may be moved into a cgroup of its own. */
  readonly moves: boolean;
}

/** How long it may take to look at the tree and to move it. */
const adoptMs = 2_000;

export async function adopt(
  pid: number,
  { agentId, startTime, orphans = 'doubt' }: AdoptOptions,
  { runtime, origin, looker, moves }: AdoptContext,
): Promise<ProcessHandle> {
  parseAgentId(agentId);
  const stat = Number.isSafeInteger(pid) && pid > 1 ? readStat(pid) : undefined;
  if (!stat?.alive || (startTime !== undefined && startTime !== stat.startTime)) {
    throw new InvalidHandleError(`No process with pid ${pid} is running that could be adopted`);
  }
  const identity = { runtime, pid, startTime: stat.startTime, ...origin, ownSession: stat.session === pid };
  const plain = parseHandle(identity, runtime);
  const signal = AbortSignal.timeout(adoptMs);
  const { tree, snapshot } = await looker.look({ agentId, root: plain }, signal).catch((cause: unknown) => {
    if (cause !== signal.reason) throw cause;
    throw new DeadlineError(`Looking at the processes of agent ${agentId} was cut short`, { cause });
  });
  if (tree.holdsSelf) throw new InvalidHandleError(`pid ${pid} is an ancestor of this very process`);
  const isMarked = snapshot.find(pid, stat.startTime)?.agentId === agentId;
  const isSure = isMarked || orphans === 'ignore';
  const root = isSure ? plain : { ...plain, orphans: await cluesOf(pid, snapshot) };
  const contained =
    moves && sharesPidNamespace(pid) ? await contain(looker, { agentId, root }, signal) : undefined;
  if (contained === undefined) return root;
  return { ...(contained.complete ? plain : root), cgroup: contained.cgroup };
}
