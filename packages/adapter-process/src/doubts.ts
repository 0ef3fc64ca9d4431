import type { Target } from './agent-tree.ts';
import type { SeenProcess, Snapshot } from './snapshot.ts';

/** A process of which it cannot be told whether it is the agent's. It is not signalled, and while it lives no death is confirmed. */
export interface Doubt {
  readonly process: SeenProcess;
  readonly because: string;
}

export interface Sure {
  /** What is surely the agent's. */
  readonly tree: ReadonlySet<SeenProcess>;
  /** Sessions surely founded by one of its processes. */
  readonly sessions: ReadonlySet<number>;
  /** Start times of those of its processes that founded sessions, by session. */
  readonly founders: ReadonlyMap<number, number>;
  /** Who may become the parent of its orphans: start time by pid. */
  readonly reapers: ReadonlyMap<number, number> | undefined;
}

export function doubtsOf(target: Target, snapshot: Snapshot, sure: Sure): Doubt[] {
  const { tree, sessions, founders } = sure;
  const doubts = new Map<SeenProcess, string>();
  const doubt = (process: SeenProcess, because: string): void => {
    if (process.alive && !tree.has(process) && !snapshot.guarded.has(process.pid))
      doubts.set(process, because);
  };
  for (const process of snapshot.unread) {
    if (couldBelong(process, target, snapshot, sure)) doubt(process, 'its environment could not be read');
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
 * Not if it is older than the root, or the child of somebody who gets none of its orphans; nor if its session was founded by
 * a process that is older than the root or is looked at and none of the agent's, where the agent has all its sessions to itself.
 */
function couldBelong(
  process: SeenProcess,
  { root }: Target,
  snapshot: Snapshot,
  { tree, reapers }: Sure,
): boolean {
  if (root !== undefined && process.startTime < root.startTime) return false;
  const parent = snapshot.get(process.ppid);
  if (parent !== undefined && !parent.unread && reapers !== undefined) {
    const isReaper = reapers.get(parent.pid) === parent.startTime;
    if (!isReaper && !tree.has(parent) && parent.startTime <= process.startTime) return false;
  }
  if (root?.ownSession === false) return true;
  const founder = snapshot.get(process.session);
  if (founder === undefined || founder.session !== founder.pid) return true;
  if (root !== undefined && founder.startTime < root.startTime) return false;
  return !founder.alive || founder.unread || tree.has(founder);
}
