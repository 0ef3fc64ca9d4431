import type { Mark } from './mark-reader.ts';
import type { ProcessStat } from './process-stat.ts';

export interface SeenProcess extends ProcessStat {
  /** The agent named in its environment. */
  readonly agentId: string | undefined;
  /** Whether its environment could be looked at. */
  readonly unread: boolean;
}

/** All processes at one time (within some milliseconds), indexed so that one agent's tree is found without a walk over all. */
export class Snapshot {
  readonly #byPid = new Map<number, SeenProcess>();
  readonly #byParent = new Map<number, SeenProcess[]>();
  readonly #bySession = new Map<number, SeenProcess[]>();
  readonly #byGroup = new Map<number, SeenProcess[]>();
  readonly #byAgent = new Map<string, SeenProcess[]>();
  readonly unread: readonly SeenProcess[];
  /** Processes that came and went between being listed and being looked at. */
  readonly missed: number;
  /** This process and its ancestors, which are never signalled. */
  readonly guarded: ReadonlySet<number>;

  constructor(stats: Iterable<ProcessStat>, marks: ReadonlyMap<number, Mark>, missed: number, self: number) {
    this.missed = missed;
    const unread: SeenProcess[] = [];
    for (const stat of stats) {
      const mark = marks.get(stat.pid);
      const agentId = mark === 'unread' ? undefined : mark?.agentId;
      const seen = { ...stat, agentId, unread: mark === 'unread' };
      this.#byPid.set(seen.pid, seen);
      add(this.#byParent, seen.ppid, seen);
      add(this.#bySession, seen.session, seen);
      add(this.#byGroup, seen.pgrp, seen);
      if (agentId !== undefined) add(this.#byAgent, agentId, seen);
      if (seen.unread) unread.push(seen);
    }
    this.unread = unread;
    this.guarded = this.#withAncestors(self);
  }

  all(): readonly SeenProcess[] {
    return [...this.#byPid.values()];
  }

  get(pid: number): SeenProcess | undefined {
    return this.#byPid.get(pid);
  }

  /** The process with this pid if it is the one that started then, dead or alive. */
  find(pid: number, startTime: number): SeenProcess | undefined {
    const process = this.#byPid.get(pid);
    return process?.startTime === startTime ? process : undefined;
  }

  /** What is left of pid reuse between two reads is told by age: no child is older than its parent. */
  childrenOf(parent: SeenProcess): readonly SeenProcess[] {
    const children = this.#byParent.get(parent.pid) ?? [];
    return children.filter((child) => child.startTime >= parent.startTime);
  }

  inSession(session: number): readonly SeenProcess[] {
    return this.#bySession.get(session) ?? [];
  }

  inGroup(pgrp: number): readonly SeenProcess[] {
    return this.#byGroup.get(pgrp) ?? [];
  }

  /** Its parent, the parent of that, and so on; `undefined` if one of them cannot be seen. */
  ancestorsOf(process: SeenProcess): readonly SeenProcess[] | undefined {
    const chain: SeenProcess[] = [];
    for (let pid = process.ppid; pid !== 0; ) {
      const next = this.#byPid.get(pid);
      if (next === undefined || chain.includes(next)) return undefined;
      chain.push(next);
      pid = next.ppid;
    }
    return chain;
  }

  marked(agentId: string): readonly SeenProcess[] {
    return this.#byAgent.get(agentId) ?? [];
  }

  #withAncestors(pid: number): Set<number> {
    const chain = new Set([0, 1]);
    for (let next: number | undefined = pid; next !== undefined && !chain.has(next); ) {
      chain.add(next);
      next = this.#byPid.get(next)?.ppid;
    }
    return chain;
  }
}

function add<K>(index: Map<K, SeenProcess[]>, key: K, process: SeenProcess): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [process]);
  else list.push(process);
}
