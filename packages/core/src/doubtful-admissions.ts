import type { Agent } from './agent.ts';
import type { Book } from './book.ts';
import type { Clock } from './ports/clock.ts';

const mostDoubtful = 1_000;
/** An admission that was never answered is looked for this long after the store answers again. */
const doubtMs = 60_000;

export interface DoubtfulAdmissionsHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  /** Says of an agent that it has ended: it never started. */
  readonly end: (agentId: string) => Promise<unknown>;
}

/** Admissions that were refused here because the store did not answer, but that it perhaps holds all the same. */
export class DoubtfulAdmissions {
  readonly #host: DoubtfulAdmissionsHost;
  #agents: readonly Agent[] = [];

  constructor(host: DoubtfulAdmissionsHost) {
    this.#host = host;
  }

  add(...agents: readonly Agent[]): void {
    this.#agents = [...this.#agents, ...agents].slice(-mostDoubtful);
  }

  /**
   * Takes out the earlier tries of an agent that is tried again. If it is let in now they were never stored, and it must not be
   * ended in their place; if not, they belong back.
   */
  take(agentId: string): readonly Agent[] {
    const taken = this.#agents.filter((each) => each.agentId === agentId);
    if (taken.length > 0) this.#agents = this.#agents.filter((each) => each.agentId !== agentId);
    return taken;
  }

  /** Ends those that the store holds after all. @throws StateUnavailableError. */
  async settle(): Promise<void> {
    const { book, clock, hostId, end } = this.#host;
    for (const agent of this.#agents) {
      const stored = await book.ask('reading an agent', (store) => store.getAgent(agent.agentId));
      // It is being tried again.
      if (!this.#agents.includes(agent)) continue;
      // One that was claimed in the meantime never started either, and only this host can say so.
      const isUnstarted =
        stored?.status === 'spawning' || (stored?.status === 'killing' && stored.handles.length === 0);
      const ours = isUnstarted && stored.hostId === hostId && stored.spawnedAt === agent.spawnedAt;
      if (ours) await end(agent.agentId);
      if (ours || clock.now() - agent.spawnedAt > doubtMs)
        this.#agents = this.#agents.filter((each) => each !== agent);
    }
  }
}
