import type { Agent, Task } from './agent.ts';
import { attempt, type Change } from './change.ts';
import { ChangesAhead } from './changes-ahead.ts';
import { isKillswitchError, type KillswitchError, StateUnavailableError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { LifecycleEvent } from './lifecycle.ts';
import { OwnAgents } from './own-agents.ts';
import type { Clock } from './ports/clock.ts';
import type { Page, PageRequest, StateStore } from './ports/state-store.ts';
import type { ListKey, ScopeKey } from './scope.ts';
import { asPage } from './store-answers.ts';
import { StoreCalls } from './store-calls.ts';
import { StoredAgents } from './stored-agents.ts';
import { UntoldChanges } from './untold-changes.ts';

/** So many agents are read at once. */
const mostReads = 100;

/**
 * The one way to agents: the state store, with a deadline on every call, and beside it this host's own live agents in
 * memory, so that they can be killed while the store is down (I6). Changes that the store could not take are kept and
 * told to it later, in order.
 */
export class Book {
  readonly clock: Clock;
  readonly #events: GuardedEvents;
  readonly #calls: StoreCalls;
  readonly #stored: StoredAgents;
  readonly #own: OwnAgents;
  readonly #untold: UntoldChanges;
  readonly #ahead: ChangesAhead;

  constructor(store: StateStore, clock: Clock, events: GuardedEvents, hostId: string, storeMs: number) {
    this.clock = clock;
    this.#events = events;
    this.#calls = new StoreCalls(store, clock, storeMs);
    this.#stored = new StoredAgents(this.#calls);
    this.#own = new OwnAgents(hostId);
    this.#untold = new UntoldChanges({
      events,
      store: (copy, agentId, event) => this.#changeStored(copy, agentId, event),
      caughtUp: (agent) => this.note(agent),
    });
    this.#ahead = new ChangesAhead(this.#own, this.#untold, (change) => this.#announce(change));
  }

  /** Whether the store tells which gates have changed. */
  get tellsGateChanges(): boolean {
    return this.#calls.tellsGateChanges;
  }

  /** See {@link StoreCalls.ask}. @throws StateUnavailableError */
  ask<T>(what: string, call: (store: StateStore) => Promise<T>, check?: (answer: T) => T): Promise<T> {
    return this.#calls.ask(what, call, check);
  }

  /** See {@link StoreCalls.askAtLength}. @throws StateUnavailableError */
  askAtLength<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    return this.#calls.askAtLength(what, call);
  }

  /** See {@link StoreCalls.askAnew}. @throws StateUnavailableError */
  askAnew<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    return this.#calls.askAnew(what, call);
  }

  /** The agent, from the store, or from memory if it is this host's own and the store is down. */
  find(agentId: string): Promise<Agent | undefined> {
    return this.ask('reading an agent', (store) => store.getAgent(agentId)).catch((error: unknown) => {
      const own = this.#own.get(agentId);
      if (own === undefined) throw error;
      return own;
    });
  }

  /** The task, from memory if an agent of it lives here, since what a task is bound to never changes; otherwise from the store. */
  async findTask(taskId: string): Promise<Task | undefined> {
    const own = this.ownIn(`task:${taskId}`)[0];
    if (own !== undefined) return { taskId, workspaceId: own.workspaceId, ownerId: own.ownerId };
    return this.ask('reading a task', (store) => store.getTask(taskId));
  }

  listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    return this.ask('listing agents', (store) => store.listAgents(key, page), asPage);
  }

  /** How many agents of its own this host has ever met. */
  get met(): number {
    return this.#own.met;
  }

  /** This host's own live agent, from memory. */
  own(agentId: string): Agent | undefined {
    return this.#own.get(agentId);
  }

  /** This host's own live agents in a scope, from memory; with `met` only those that were met when there had been so many. */
  ownIn(key: ScopeKey, met?: number): Agent[] {
    return this.#own.in(key, met);
  }

  /** Takes note of an agent as stored: if it is this host's and lives, it can be killed without the store from now on. */
  note(agent: Agent): void {
    // What was done here is ahead of the store until that was told all of it.
    if (this.isTold(agent.agentId)) this.#own.note(agent);
  }

  /** See {@link OwnAgents.doubt}. */
  doubt(agentId: string): void {
    this.#own.doubt(agentId);
  }

  /** See {@link OwnAgents.trust}. */
  trust(agentId: string): void {
    this.#own.trust(agentId);
  }

  /**
   * Applies an event to an agent, against whatever races it. If the store is down, it is applied in memory to an agent
   * that is known here and told to the store later.
   * @throws InvalidTransitionError, UnknownTargetError, or StateUnavailableError for an agent that is not known here.
   */
  async change(target: Agent | string, event: LifecycleEvent): Promise<Change> {
    const [copy, agentId] = typeof target === 'string' ? [undefined, target] : [target, target.agentId];
    let failure: KillswitchError | undefined;
    if (this.isTold(agentId)) {
      try {
        return this.#ahead.catchUp(await this.#changeStored(copy, agentId, event), event);
      } catch (error) {
        if (!isKillswitchError(error, 'state-unavailable')) throw error;
        failure = error;
      }
    }
    const known = this.#own.get(agentId) ?? copy;
    if (known !== undefined) return this.#ahead.change(known, event);
    const why = `Agent "${agentId}" has changes that the state store has not taken yet`;
    throw failure ?? new StateUnavailableError(why);
  }

  /** Claims many agents for an order. See {@link changeAll}. */
  claim(agents: readonly Agent[], orderId: string): Promise<Change[]> {
    const event: LifecycleEvent = { type: 'claim', at: this.clock.now(), orderId };
    return this.changeAll(agents.map((agent) => ({ agent, event })));
  }

  /**
   * Applies an event each to many agents at the cost of one call; those that are lost to a race are read anew, a hundred at
   * a time, and stored together once more.
   */
  async changeAll(
    wanted: ReadonlyArray<{ readonly agent: Agent; readonly event: LifecycleEvent }>,
  ): Promise<Change[]> {
    const plans = wanted.map(({ agent: before, event }): Change | undefined => attempt(before, event));
    const toStore: Change[] = [];
    for (const plan of plans) if (plan !== undefined && this.#isToStore(plan)) toStore.push(plan);
    const won = toStore.length === 0 ? [] : await this.#stored.swapAll(toStore.map(({ agent }) => agent));
    const stored = new Set(toStore.filter((_, i) => won[i] === true));
    const changes: Change[] = [];
    const lost: Array<readonly [place: number, agentId: string, event: LifecycleEvent]> = [];
    wanted.forEach(({ agent, event }, place) => {
      const plan = plans[place];
      if (plan !== undefined && stored.has(plan)) changes[place] = this.#settle(plan);
      else if (!this.isTold(agent.agentId)) changes[place] = this.#ahead.changeListed(agent, event);
      else if (plan !== undefined && plan.agent === plan.before && event.type === 'claim')
        changes[place] = plan;
      else lost.push([place, agent.agentId, event]);
    });
    while (lost.length > 0) {
      const again = lost.splice(0, mostReads).map(async ([place, agentId, event]) => {
        changes[place] = await this.change(agentId, event);
      });
      await Promise.all(again);
    }
    return changes;
  }

  #isToStore({ before, agent }: Change): boolean {
    return agent !== before && this.isTold(agent.agentId) && this.#own.isStored(before);
  }

  /** A claim of this host's own agents in memory, for when the store cannot even be listed. */
  claimHere(key: ScopeKey, orderId: string): Change[] {
    const event: LifecycleEvent = { type: 'claim', at: this.clock.now(), orderId };
    return this.ownIn(key).map((agent) => this.#ahead.change(agent, event));
  }

  /** How many agents have changes that the store has not taken. */
  get untold(): number {
    return this.#untold.size;
  }

  /** Whether the store was told of everything that was done here to the agent. */
  isTold(agentId: string): boolean {
    return !this.#untold.has(agentId);
  }

  /** Keeps claims by this order from the store, which does not hold it yet: after a crash nobody would follow them up. */
  holdClaims(orderId: string): void {
    this.#untold.holdClaims(orderId);
  }

  /** Ids of the agents whose claims by this order are kept from the store. */
  claimsBy(orderId: string): string[] {
    return this.#untold.claimsBy(orderId);
  }

  /** The store holds the order now, or another one in its place that it has joined: what was done under it can be told. */
  releaseClaims(orderId: string, placedAs: string): void {
    this.#untold.releaseClaims(orderId, placedAs);
  }

  /** See {@link UntoldChanges.onTold}. */
  onTold(told: (change: Change) => void): void {
    this.#untold.onTold(told);
  }

  /** See {@link UntoldChanges.tell}. */
  tell(): Promise<void> {
    return this.#untold.tell();
  }

  async #changeStored(copy: Agent | undefined, agentId: string, event: LifecycleEvent): Promise<Change> {
    const stored = copy !== undefined && this.#own.isStored(copy) ? copy : undefined;
    return this.#settle(await this.#stored.change(stored, agentId, event));
  }

  #settle(change: Change): Change {
    this.note(change.agent);
    return this.#announce(change);
  }

  #announce(change: Change): Change {
    if (change.agent.status !== change.before.status) {
      this.#events.emit('transition', { agent: change.agent, from: change.before.status });
    }
    return change;
  }
}
