import type { Agent } from './agent.ts';
import type { Change } from './change.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { LifecycleEvent } from './lifecycle.ts';

export interface UntoldChangesHost {
  readonly events: GuardedEvents;
  /** Makes a change in the store, from a copy as stored if there is one. Throws what {@link StoredAgents.change} throws. */
  readonly store: (copy: Agent | undefined, agentId: string, event: LifecycleEvent) => Promise<Change>;
  /** The store was told of everything that was done here to the agent; so it stands there now. */
  readonly caughtUp: (agent: Agent) => void;
}

/** What was done to agents on this host and the store could not take, until it was told of it, in order. */
export class UntoldChanges {
  readonly #host: UntoldChangesHost;
  readonly #byAgent = new Map<string, LifecycleEvent[]>();
  /** Orders that the store does not hold yet: it is told of no claim by them. */
  readonly #unplaced = new Set<string>();
  #told: (change: Change) => void = () => undefined;
  #telling: Promise<void> | undefined;

  constructor(host: UntoldChangesHost) {
    this.#host = host;
  }

  /** How many agents have some. */
  get size(): number {
    return this.#byAgent.size;
  }

  has(agentId: string): boolean {
    return this.#byAgent.has(agentId);
  }

  add(agentId: string, event: LifecycleEvent): void {
    const events = this.#byAgent.get(agentId);
    if (events === undefined) this.#byAgent.set(agentId, [event]);
    else events.push(event);
  }

  /** See {@link Book.holdClaims}. */
  holdClaims(orderId: string): void {
    this.#unplaced.add(orderId);
  }

  /** See {@link Book.claimsBy}. */
  claimsBy(orderId: string): string[] {
    const isBy = (event: LifecycleEvent) => event.type === 'claim' && event.orderId === orderId;
    return [...this.#byAgent].flatMap(([agentId, events]) => (events.some(isBy) ? [agentId] : []));
  }

  /** See {@link Book.releaseClaims}. */
  releaseClaims(orderId: string, placedAs: string): void {
    this.#unplaced.delete(orderId);
    for (const events of this.#byAgent.values()) {
      events.forEach((event, i) => {
        if (event.type === 'claim' && event.orderId === orderId) events[i] = { ...event, orderId: placedAs };
      });
    }
  }

  /** Has each looked at when the store is told of it: there it may lead to other effects than here. */
  onTold(told: (change: Change) => void): void {
    this.#told = told;
  }

  /** Tells the store. Stops at the first call that it does not answer. */
  tell(): Promise<void> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  async #tell(): Promise<void> {
    for (const [agentId, events] of this.#byAgent) {
      let stored: Agent | undefined;
      // While one is told, more may come.
      for (let next = events[0]; next !== undefined && !this.#isHeld(next); next = events[0]) {
        try {
          const change = await this.#host.store(stored, agentId, next);
          stored = change.agent;
          this.#told(change);
        } catch (error) {
          if (isKillswitchError(error, 'state-unavailable')) return;
          const message = `Agent "${agentId}": a change made while the state store was down does not fit: ${describeError(error)}`;
          this.#host.events.emit('warning', { message });
        }
        events.shift();
      }
      if (events.length > 0) continue;
      this.#byAgent.delete(agentId);
      if (stored !== undefined) this.#host.caughtUp(stored);
    }
  }

  #isHeld(event: LifecycleEvent): boolean {
    return event.type === 'claim' && this.#unplaced.has(event.orderId);
  }
}
