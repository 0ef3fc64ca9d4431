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
    if (couldBelong(process, target, snapshot)) doubt(process, 'its environment could not be read');
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

/** What is older than the root, or in a session older than the root's own, is not its descendant. */
function couldBelong(process: SeenProcess, { root }: Target, snapshot: Snapshot): boolean {
  if (root === undefined) return true;
  if (process.startTime < root.startTime) return false;
  const leader = snapshot.get(process.session);
  const sessionIsOlder = leader?.session === leader?.pid && (leader?.startTime ?? Infinity) < root.startTime;
  return !(root.ownSession && sessionIsOlder);
}
