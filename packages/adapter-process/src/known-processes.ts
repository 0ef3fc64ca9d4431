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
  /** Who may become the parent of its orphans: start time by pid. `undefined` while that cannot be told. */
  readonly reapers: ReadonlyMap<number, number> | undefined;
}

interface Tree extends KnownTree {
  readonly agentId: string;
  readonly members: Map<number, number>;
  readonly sessions: Map<number, number>;
  readonly marks: Set<string>;
  reapers: ReadonlyMap<number, number> | undefined;
}

const maxAgents = 10_000;
const maxMembers = 4_096;

/** Remembers the trees of agents. Bounded (I12): the agents longest not looked at are forgotten first. */
export class KnownProcesses {
  readonly #trees = new Map<string, Tree>();
  /** Whose a process was found to be last, by pid. */
  readonly #owners = new Map<number, { readonly agentId: string; readonly startTime: number }>();

  of(agentId: string): KnownTree {
    return this.#trees.get(agentId) ?? empty(agentId);
  }

  /** Processes with another agent's mark are left out: they are the agent's only as long as they descend from it. */
  remember(
    agentId: string,
    tree: Pick<AgentTree, 'processes' | 'marks' | 'reapers'>,
    snapshot: Snapshot,
  ): void {
    const known = this.#renew(agentId);
    for (const mark of tree.marks) known.marks.add(mark);
    known.reapers = tree.reapers;
    for (const { pid, startTime, session, agentId: mark } of tree.processes) {
      if (mark !== undefined && !tree.marks.has(mark)) continue;
      if (known.members.size >= maxMembers) this.#forgetGone(known, snapshot);
      if (known.members.size >= maxMembers) break;
      known.members.set(pid, startTime);
      this.#owners.set(pid, { agentId, startTime });
      if (session === pid) known.sessions.set(pid, startTime);
    }
  }

  /** The process that an agent was started as, before anybody looks at it. */
  note(agentId: string, { pid, startTime }: { readonly pid: number; readonly startTime: number }): void {
    const known = this.#renew(agentId);
    if (known.members.size >= maxMembers) return;
    known.members.set(pid, startTime);
    this.#owners.set(pid, { agentId, startTime });
  }

  /** Whether one of its processes lives, other than by a mark that was never looked for. */
  isLive(agentId: string, snapshot: Snapshot): boolean {
    const members = this.#trees.get(agentId)?.members ?? [];
    for (const [pid, startTime] of members) if (snapshot.find(pid, startTime)?.alive) return true;
    return false;
  }

  /** Whether a process was last found to be another agent's. */
  isOthers(
    agentId: string,
    { pid, startTime }: { readonly pid: number; readonly startTime: number },
  ): boolean {
    const owner = this.#owners.get(pid);
    return owner !== undefined && owner.startTime === startTime && owner.agentId !== agentId;
  }

  forget(agentId: string): void {
    for (const pid of this.#trees.get(agentId)?.members.keys() ?? []) this.#disown(pid, agentId);
    this.#trees.delete(agentId);
  }

  #renew(agentId: string): Tree {
    const known = this.#trees.get(agentId) ?? empty(agentId);
    this.#trees.delete(agentId);
    this.#trees.set(agentId, known);
    for (const oldest of this.#trees.keys()) {
      if (this.#trees.size <= maxAgents) break;
      this.forget(oldest);
    }
    return known;
  }

  #forgetGone(known: Tree, now: Snapshot): void {
    for (const [pid, startTime] of known.members) {
      if (now.find(pid, startTime) !== undefined) continue;
      known.members.delete(pid);
      this.#disown(pid, known.agentId);
    }
    for (const session of known.sessions.keys()) {
      if (now.inSession(session).length === 0) known.sessions.delete(session);
    }
  }

  #disown(pid: number, agentId: string): void {
    if (this.#owners.get(pid)?.agentId === agentId) this.#owners.delete(pid);
  }
}

function empty(agentId: string): Tree {
  return { agentId, members: new Map(), sessions: new Map(), marks: new Set(), reapers: undefined };
}
