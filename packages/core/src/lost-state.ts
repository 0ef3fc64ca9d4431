import type { Agent } from './agent.ts';
import { gatesOver, stopBarred } from './barred-agents.ts';
import { Book } from './book.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { Leases } from './leases.ts';
import type { StopOrder } from './order.ts';
import type { FoundState, StateStore } from './ports/state-store.ts';
import { putBackStops, type RestoreHost } from './restore.ts';
import { type ReviewHost, reviewOwnAgents } from './review.ts';
import type { Stops } from './stops.ts';
import type { SystemOrderHost } from './system-order.ts';

/** Most agents that a store takes at once. */
const mostAgents = 1_000;

export interface LostStateHost
  extends RestoreHost,
    SystemOrderHost,
    Pick<ReviewHost, 'runtimes' | 'unanswered' | 'startedAt' | 'earlier'> {
  readonly state: StateStore;
  /** For one call on the state store, in milliseconds. */
  readonly stateMs: number;
  readonly stops: Stops;
  readonly leases: Leases;
}

interface PutBack {
  /** How many agents. */
  readonly count: number;
  /** Stops that have settled, whose gates bar one of them. */
  readonly barring: readonly StopOrder[];
}

/**
 * Brings this host's knowledge into the state that has taken the place of a lost one, while the host runs (I1, I9): the
 * agents that it holds in memory, those under its open orders among them, and the stops that are on its record. The open orders
 * themselves are placed anew by their runs.
 *
 * - unready: not every agent of an earlier life of the host is known here yet. Left by `begin`.
 * - whole. Left when the store refuses a call because it has lost its state.
 * - lost: nobody is admitted here, and stops reach this host's own agents. Left when everything is put back; what hinders that
 *   is tried again each second.
 */
export class LostState {
  readonly #host: LostStateHost;
  #isReady = false;
  #isLost = false;
  #isPuttingBack = false;
  #hindrance: string | undefined;

  constructor(host: LostStateHost) {
    this.#host = host;
  }

  /** From now on this host knows all its agents: what it puts back is not less than it had. */
  begin(): void {
    this.#isReady = true;
  }

  /** Something that was asked of the store has failed: perhaps because of that. */
  notice(error: unknown): void {
    const { state, stops, leases } = this.#host;
    const cause = isKillswitchError(error, 'state-unavailable') ? error.cause : undefined;
    if (
      !this.#isReady ||
      this.#isLost ||
      state.rejoin === undefined ||
      !isKillswitchError(cause, 'state-lost')
    )
      return;
    this.#isLost = true;
    leases.awaitOthers();
    stops.unplace();
  }

  /** One at a time: what has not come back yet is waited for. Never rejects. */
  async putBack(): Promise<void> {
    if (!this.#isLost || this.#isPuttingBack) return;
    this.#isPuttingBack = true;
    const { state, events, leases } = this.#host;
    try {
      let back: PutBack = { count: 0, barring: [] };
      await state.rejoin?.(async (found) => {
        back = await this.#putBackInto(found);
      });
      leases.listenAnew();
      this.#isLost = false;
      this.#hindrance = undefined;
      const message = `The state store had lost its state: the stops on record and ${back.count} agents are put back`;
      events.emit('warning', { message });
      stopBarred(this.#host, back.barring);
    } catch (error) {
      const what = describeError(error);
      if (what === this.#hindrance) return;
      this.#hindrance = what;
      events.emit('warning', {
        message: `The state store has lost its state, and nothing could be put back: ${what}`,
      });
    } finally {
      this.#isPuttingBack = false;
    }
  }

  /** Agents first: a stop that is put back finds them. */
  async #putBackInto(found: FoundState): Promise<PutBack> {
    const { clock, events, hostId, stateMs } = this.#host;
    const book = new Book(found, clock, events, hostId, stateMs);
    const agents = this.#agents();
    for (let at = 0; at < agents.length; at += mostAgents) {
      const part = agents.slice(at, at + mostAgents);
      await book.ask('putting agents back', () => found.putBackAgents(part));
    }
    const gates = await putBackStops({ ...this.#host, book });
    // Whom this host no longer knows has ended since the time of an older copy.
    const known = new Set(agents.map(({ agentId }) => agentId));
    await reviewOwnAgents({ ...this.#host, book }, (agentId) => known.has(agentId));
    const barring: StopOrder[] = [];
    for (const { orderId } of gatesOver(agents, gates)) {
      const order = await book.ask('reading an order', (store) => store.getOrder(orderId));
      // An open one finds them.
      if (order !== undefined && order.settledAt !== undefined) barring.push(order);
    }
    return { count: agents.length, barring };
  }

  /** The newest copy here of each. */
  #agents(): Agent[] {
    const { book, stops } = this.#host;
    const newest = new Map<string, Agent>();
    for (const agent of [...book.ownIn('everything'), ...stops.agents()]) {
      const known = newest.get(agent.agentId);
      if (known === undefined || known.revision < agent.revision) newest.set(agent.agentId, agent);
    }
    return [...newest.values()];
  }
}
