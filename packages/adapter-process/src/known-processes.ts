import type { AgentTree } from './agent-tree.ts';
import type { Snapshot } from './snapshot.ts';

/** What earlier looks found of one agent: how its processes are known again once their parents are gone. */
export interface KnownTree {
  /** Start time by pid. */
  readonly members: ReadonlyMap<number, number>;
  /** Sessions founded by its processes: the founder's start time by session id. */
  readonly sessions: ReadonlyMap<number, number>;
  /** Marks that its processes carry by right: its own, and one that an adopted root had already. */
  readonly marks: ReadonlySet<string>;
}

interface Tree extends KnownTree {
  readonly members: Map<number, number>;
  readonly sessions: Map<number, number>;
  readonly marks: Set<string>;
}

const maxAgents = 10_000;
const maxMembers = 4_096;

/** Remembers the trees of agents. Bounded (I12): the agents longest not looked at are forgotten first. */
export class KnownProcesses {
  readonly #trees = new Map<string, Tree>();

  of(agentId: string): KnownTree {
    return this.#trees.get(agentId) ?? empty();
  }

  /** Processes with another agent's mark are left out: they are the agent's only as long as they descend from it. */
  remember(agentId: string, tree: Pick<AgentTree, 'processes' | 'marks'>, snapshot: Snapshot): void {
    const known = this.#trees.get(agentId) ?? empty();
    this.#trees.delete(agentId);
    this.#trees.set(agentId, known);
    for (const mark of tree.marks) known.marks.add(mark);
    for (const { pid, startTime, session, agentId: mark } of tree.processes) {
      if (mark !== undefined && !tree.marks.has(mark)) continue;
      if (known.members.size >= maxMembers) forgetGone(known, snapshot);
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

function empty(): Tree {
  return { members: new Map(), sessions: new Map(), marks: new Set() };
}

function forgetGone(known: Tree, now: Snapshot): void {
  for (const [pid, startTime] of known.members) {
    if (now.find(pid, startTime) === undefined) known.members.delete(pid);
  }
  for (const session of known.sessions.keys()) {
    if (now.inSession(session).length === 0) known.sessions.delete(session);
  }
}
