import type { SeenProcess, Snapshot } from './snapshot.ts';

/** What earlier looks found of one agent: how its processes are known again once their parents are gone. */
export interface KnownTree {
  /** Start time by pid. */
  readonly members: ReadonlyMap<number, number>;
  /** Sessions led by its processes: the leader's start time by session id. */
  readonly sessions: ReadonlyMap<number, number>;
}

const emptyTree: KnownTree = { members: new Map(), sessions: new Map() };
const maxAgents = 10_000;
const maxMembers = 4_096;

/** Remembers the trees of agents. Bounded (I12): the agents longest not looked at are forgotten first. */
export class KnownProcesses {
  readonly #trees = new Map<string, { members: Map<number, number>; sessions: Map<number, number> }>();

  of(agentId: string): KnownTree {
    return this.#trees.get(agentId) ?? emptyTree;
  }

  /** Processes with another agent's mark are left out: they are the agent's only as long as they descend from it. */
  remember(agentId: string, tree: Iterable<SeenProcess>, snapshot?: Snapshot): void {
    const known = this.#trees.get(agentId) ?? { members: new Map(), sessions: new Map() };
    this.#trees.delete(agentId);
    this.#trees.set(agentId, known);
    for (const { pid, startTime, session, agentId: mark } of tree) {
      if (mark !== undefined && mark !== agentId) continue;
      if (known.members.size >= maxMembers && snapshot !== undefined) forgetGone(known, snapshot);
      if (known.members.size >= maxMembers) break;
      known.members.set(pid, startTime);
      if (session === pid) known.sessions.set(pid, startTime);
    }
    for (const oldest of this.#trees.keys()) {
      if (this.#trees.size <= maxAgents) break;
      this.#trees.delete(oldest);
    }
  }

  forget(agentId: string): void {
    this.#trees.delete(agentId);
  }
}

function forgetGone(
  known: { members: Map<number, number>; sessions: Map<number, number> },
  now: Snapshot,
): void {
  for (const [pid, startTime] of known.members) {
    if (now.find(pid, startTime) === undefined) known.members.delete(pid);
  }
  for (const session of known.sessions.keys()) {
    if (now.inSession(session).length === 0) known.sessions.delete(session);
  }
}
