import type { Target } from './agent-tree.ts';
import type { SeenProcess, Snapshot } from './snapshot.ts';

/** A process of which it cannot be told whether it is the agent's. It is not signalled, and while it lives no death is confirmed. */
export interface Doubt {
  readonly process: SeenProcess;
  readonly because: string;
}

/**
 * @param tree what is surely the agent's
 * @param sessions sessions surely founded by one of its processes
 * @param founders start times of those of its processes that founded sessions, by session
 */
export function doubtsOf(
  target: Target,
  snapshot: Snapshot,
  tree: ReadonlySet<SeenProcess>,
  sessions: ReadonlySet<number>,
  founders: ReadonlyMap<number, number>,
): Doubt[] {
  const doubts = new Map<SeenProcess, string>();
  const doubt = (process: SeenProcess, because: string): void => {
    if (process.alive && !tree.has(process) && !snapshot.guarded.has(process.pid))
      doubts.set(process, because);
  };
  for (const process of snapshot.unread) {
    if (couldBelong(process, target, snapshot, tree)) doubt(process, 'its environment could not be read');
  }
  for (const session of sessions) {
    for (const process of snapshot.inSession(session)) {
      doubt(process, `in its session ${session}, but marked as agent ${process.agentId}`);
    }
  }
  for (const session of founders.keys()) {
    if (sessions.has(session) || snapshot.get(session) !== undefined) continue;
    // Its orphans, or those of a later session with the same number.
    for (const process of snapshot.inSession(session)) {
      doubt(process, `in session ${session}, whose leader is gone`);
    }
  }
  return [...doubts].map(([process, because]) => ({ process, because }));
}

/**
 * Not if it is older than the root; nor if its session was founded by a process that is older than the root or is
 * looked at and none of the agent's, where the agent has all its sessions to itself.
 */
function couldBelong(
  process: SeenProcess,
  { root }: Target,
  snapshot: Snapshot,
  tree: ReadonlySet<SeenProcess>,
): boolean {
  if (root !== undefined && process.startTime < root.startTime) return false;
  if (root?.ownSession === false) return true;
  const founder = snapshot.get(process.session);
  if (founder === undefined || founder.session !== founder.pid) return true;
  if (root !== undefined && founder.startTime < root.startTime) return false;
  return !founder.alive || founder.unread || tree.has(founder);
}
