import { type Agent, isLive, type Task } from './agent.ts';
import { withDeadline } from './deadline.ts';
import {
  describeError,
  InvalidTransitionError,
  isKillswitchError,
  StateUnavailableError,
  UnknownTargetError,
} from './errors.ts';
import type { GuardedEvents } from './events.ts';
import { type Effect, type LifecycleEvent, transition } from './lifecycle.ts';
import { OwnAgents } from './own-agents.ts';
import type { Clock } from './ports/clock.ts';
import type { Page, PageRequest, StateStore } from './ports/state-store.ts';
import type { ListKey, ScopeKey } from './scope.ts';
import { asPage, asVerdicts } from './store-answers.ts';

/** After an unanswered call the store is left alone this long: calls fail at once, so that a kill waits only once. */
const restMs = 1_000;
/** How long a listing of whatever was ever kept may take: a hundred thousand gates are a few seconds. */
const longMs = 30_000;
const maxRaces = 100;
const mostSwaps = 1_000;
/** Admissions without an answer that are kept in mind. */
const mostDoubted = 1_000;
/** So many agents are read at once. */
const mostReads = 100;

/** What a change led to: the agent as it is now, and what to do. `agent === before` if nothing changed. */
export interface Change {
  readonly before: Agent;
  readonly agent: Agent;
  readonly effects: readonly Effect[];
}

/**
 * The one way to agents: the state store, with a deadline on every call, and beside it this host's own live agents in
 * memory, so that they can be killed while the store is down (I6). Changes that the store could not take are kept and
 * told to it later, in order.
 */
export class Book {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #events: GuardedEvents;
  readonly #hostId: string;
  readonly #storeMs: number;
  readonly #own: OwnAgents;
  readonly #untold = new Map<string, LifecycleEvent[]>();
  /** Copies that no store ever held: their revisions mean nothing to it. */
  readonly #unstored = new WeakSet<Agent>();
  /** Orders that the store does not hold yet: it is told of no claim by them. */
  readonly #unplaced = new Set<string>();
  /** Ids of agents whose admission was refused for want of an answer, the newest last. */
  readonly #doubted = new Set<string>();
  #told: (change: Change) => void = () => undefined;
  #telling: Promise<void> | undefined;
  readonly #swaps: Array<{
    agent: Agent;
    resolve: (won: boolean) => void;
    reject: (error: unknown) => void;
  }> = [];
  #isSwapping = false;
  #restUntil = 0;

  constructor(store: StateStore, clock: Clock, events: GuardedEvents, hostId: string, storeMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
    this.#hostId = hostId;
    this.#own = new OwnAgents(hostId);
    this.#storeMs = storeMs;
  }

  /** Whether the store tells which gates have changed. */
  get tellsGateChanges(): boolean {
    return this.#store.gateChanges !== undefined;
  }

  /** @throws StateUnavailableError if the store fails, does not answer in time, or did so a moment ago. */
  async ask<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    if (this.#clock.now() < this.#restUntil)
      throw new StateUnavailableError(`${what}: the state store is not answering`);
    return this.askAnew(what, call);
  }

  /**
   * Like {@link ask}, for what may be long and that no kill waits for: that it takes a while says nothing of the store.
   * @throws StateUnavailableError
   */
  async askAtLength<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    if (this.#clock.now() < this.#restUntil)
      throw new StateUnavailableError(`${what}: the state store is not answering`);
    try {
      return await withDeadline(this.#clock, what, longMs, () => call(this.#store));
    } catch (error) {
      throw new StateUnavailableError(`${what}: ${describeError(error)}`, { cause: error });
    }
  }

  /** Like {@link ask}, also if it did not answer a moment ago. */
  async askAnew<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    try {
      return await withDeadline(this.#clock, what, this.#storeMs, () => call(this.#store));
    } catch (error) {
      if (isKillswitchError(error, 'deadline')) this.#restUntil = this.#clock.now() + restMs;
      throw new StateUnavailableError(`${what}: ${describeError(error)}`, { cause: error });
    }
  }

  /** The agent, from the store, or from memory if it is this host's own and the store is down. */
  async find(agentId: string): Promise<Agent | undefined> {
    try {
      return await this.ask('reading an agent', (store) => store.getAgent(agentId));
    } catch (error) {
      const own = this.#own.get(agentId);
      if (own === undefined) throw error;
      return own;
    }
  }

  /** Like {@link find}, for a task. */
  async findTask(taskId: string): Promise<Task | undefined> {
    try {
      return await this.ask('reading a task', (store) => store.getTask(taskId));
    } catch (error) {
      const own = this.ownIn(`task:${taskId}`)[0];
      if (own === undefined) throw error;
      return { taskId, workspaceId: own.workspaceId, ownerId: own.ownerId };
    }
  }

  listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    return this.ask('listing agents', async (store) => asPage(await store.listAgents(key, page)));
  }

  /** This host's own live agents in a scope, from memory. */
  ownIn(key: ScopeKey): Agent[] {
    return this.#own.in(key);
  }

  /** Takes note of an agent as stored: if it is this host's and lives, it can be killed without the store from now on. */
  note(agent: Agent): void {
    // What was done here is ahead of the store until that was told all of it.
    if (this.#untold.has(agent.agentId)) return;
    // A read that is out of date must not take away the handles that a kill without the store needs (I6).
    const own = this.#own.get(agent.agentId);
    if (own !== undefined && !this.#unstored.has(own) && agent.revision < own.revision) return;
    this.#keep(agent);
  }

  /**
   * Takes note that an agent's admission was refused for want of an answer: without a handle it never started here, so
   * there is nothing to kill without the store, least of all for a stop that it came after (I9).
   */
  doubt(agentId: string): void {
    this.#doubted.add(agentId);
    for (const oldest of this.#doubted) {
      if (this.#doubted.size <= mostDoubted) return;
      this.#doubted.delete(oldest);
    }
  }

  #keep(agent: Agent): void {
    if (agent.hostId !== this.#hostId) return;
    const neverRan = agent.handles.length === 0 && this.#doubted.has(agent.agentId);
    if (!isLive(agent)) this.#own.drop(agent.agentId);
    else if (!neverRan) this.#own.keep(agent);
  }

  /**
   * Applies an event to an agent, against whatever races it. If the store is down, it is applied in memory to an agent
   * that is known here and told to the store later.
   * @throws InvalidTransitionError, UnknownTargetError, or StateUnavailableError for an agent that is not known here.
   */
  async change(target: Agent | string, event: LifecycleEvent): Promise<Change> {
    const agentId = typeof target === 'string' ? target : target.agentId;
    if (!this.#untold.has(agentId)) {
      try {
        return this.#catchUp(await this.#changeStored(target, agentId, event), event);
      } catch (error) {
        if (!isKillswitchError(error, 'state-unavailable')) throw error;
        const known = this.#own.get(agentId) ?? (typeof target === 'string' ? undefined : target);
        if (known === undefined) throw error;
        return this.#changeHere(known, event);
      }
    }
    const known = this.#own.get(agentId) ?? (typeof target === 'string' ? undefined : target);
    if (known === undefined)
      throw new StateUnavailableError(
        `Agent "${agentId}" has changes that the state store has not taken yet`,
      );
    return this.#changeHere(known, event);
  }

  /** A handle that the store has taken has to reach the copy here, too, that a claim has put ahead of it meanwhile (I6). */
  #catchUp(change: Change, event: LifecycleEvent): Change {
    const before = this.#own.get(change.agent.agentId);
    if (event.type !== 'running' || before === undefined || this.isTold(before.agentId)) return change;
    const [agent, effects] = transition(before, event);
    this.#unstored.add(agent);
    this.#keep(agent);
    return { before, agent, effects };
  }

  /** Claims many agents for an order. See {@link changeAll}. */
  claim(agents: readonly Agent[], orderId: string): Promise<Change[]> {
    const event: LifecycleEvent = { type: 'claim', at: this.#clock.now(), orderId };
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
    const toStore: Agent[] = [];
    const places: number[] = [];
    plans.forEach((plan, place) => {
      if (plan === undefined || plan.agent === plan.before) return;
      if (this.#untold.has(plan.agent.agentId) || this.#unstored.has(plan.before)) return;
      toStore.push(plan.agent);
      places.push(place);
    });
    const won = toStore.length === 0 ? [] : await this.#swapAll(toStore);
    const isStored = new Set(places.filter((_, i) => won[i] === true));
    const changes: Change[] = [];
    const lost: Array<readonly [place: number, agentId: string, event: LifecycleEvent]> = [];
    for (const [place, { agent, event }] of wanted.entries()) {
      const plan = plans[place];
      if (plan !== undefined && isStored.has(place)) changes[place] = this.#settle(plan);
      else if (!this.isTold(agent.agentId)) changes[place] = this.#changeAhead(agent, event);
      else if (plan !== undefined && plan.agent === plan.before && event.type === 'claim')
        changes[place] = plan;
      else lost.push([place, agent.agentId, event]);
    }
    while (lost.length > 0) {
      const again = lost.splice(0, mostReads).map(async ([place, agentId, event]) => {
        changes[place] = await this.change(agentId, event);
      });
      await Promise.all(again);
    }
    return changes;
  }

  /** A change of an agent that is known better here than in the store; of one that has ended here, none. */
  #changeAhead(stored: Agent, event: LifecycleEvent): Change {
    const own = this.#own.get(stored.agentId);
    return own === undefined ? { before: stored, agent: stored, effects: [] } : this.#changeHere(own, event);
  }

  /** A claim of this host's own agents in memory, for when the store cannot even be listed. */
  claimHere(key: ScopeKey, orderId: string): Change[] {
    const event: LifecycleEvent = { type: 'claim', at: this.#clock.now(), orderId };
    return this.ownIn(key).map((agent) => this.#changeHere(agent, event));
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
    this.#unplaced.add(orderId);
  }

  /** The store holds the order now, or another one in its place that it has joined: what was done under it can be told. */
  releaseClaims(orderId: string, placedAs: string): void {
    this.#unplaced.delete(orderId);
    for (const events of this.#untold.values()) {
      events.forEach((event, i) => {
        if (event.type === 'claim' && event.orderId === orderId) events[i] = { ...event, orderId: placedAs };
      });
    }
  }

  /** Remembers an event for an agent of which nothing is known, for example an admission that never answered. */
  tellLater(agentId: string, event: LifecycleEvent): void {
    const events = this.#untold.get(agentId);
    if (events === undefined) this.#untold.set(agentId, [event]);
    else events.push(event);
  }

  /** Has changes that the store missed looked at when it is told of them: there they may lead to other effects than here. */
  onTold(told: (change: Change) => void): void {
    this.#told = told;
  }

  /** Tells the store what it missed. Stops at the first call that it does not answer. */
  tell(): Promise<void> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  async #tell(): Promise<void> {
    for (const [agentId, events] of this.#untold) {
      let stored: Agent | undefined;
      // While one is told, more may come.
      for (let next = events[0]; next !== undefined && !this.#isHeld(next); next = events[0]) {
        try {
          const change = await this.#changeStored(stored ?? agentId, agentId, next);
          stored = change.agent;
          this.#told(change);
        } catch (error) {
          if (isKillswitchError(error, 'state-unavailable')) return;
          const message = `Agent "${agentId}": a change made while the state store was down does not fit: ${describeError(error)}`;
          this.#events.emit('warning', { message });
        }
        events.shift();
      }
      if (events.length > 0) continue;
      this.#untold.delete(agentId);
      if (stored !== undefined) this.note(stored);
    }
  }

  #isHeld(event: LifecycleEvent): boolean {
    return event.type === 'claim' && this.#unplaced.has(event.orderId);
  }

  async #changeStored(target: Agent | string, agentId: string, event: LifecycleEvent): Promise<Change> {
    let before = typeof target === 'string' || this.#unstored.has(target) ? undefined : target;
    let fresh = false;
    for (let race = 0; race < maxRaces; race++) {
      if (before === undefined) {
        before = await this.ask('reading an agent', (store) => store.getAgent(agentId));
        fresh = true;
      }
      if (before === undefined) throw new UnknownTargetError('agent', agentId);
      const change = attempt(before, event);
      if (change !== undefined && change.agent !== before) {
        if (await this.#swap(change.agent)) return this.#settle(change);
      } else if (fresh) {
        if (change === undefined) transition(before, event);
        this.note(before);
        return { before, agent: before, effects: change?.effects ?? [] };
      }
      before = undefined;
    }
    throw new StateUnavailableError(`Agent "${agentId}" changes too often to be changed`);
  }

  #swapAll(agents: readonly Agent[]): Promise<readonly boolean[]> {
    return this.ask('storing agents', async (store) =>
      asVerdicts(await store.swapAgents(agents), agents.length),
    );
  }

  /** Stores many agents' changes with one call: those that come while a call is under way make up the next one. */
  #swap(agent: Agent): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#swaps.push({ agent, resolve, reject });
      if (!this.#isSwapping) void this.#runSwaps();
    });
  }

  async #runSwaps(): Promise<void> {
    this.#isSwapping = true;
    // Whatever asks in this same turn goes along.
    await undefined;
    while (this.#swaps.length > 0) {
      const batch = this.#swaps.splice(0, mostSwaps);
      try {
        const won = await this.#swapAll(batch.map((each) => each.agent));
        batch.forEach(({ resolve }, i) => {
          resolve(won[i] === true);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isSwapping = false;
  }

  #changeHere(known: Agent, event: LifecycleEvent): Change {
    const [agent, effects] = transition(known, event);
    const change = { before: known, agent, effects };
    if (agent === known) return change;
    this.tellLater(agent.agentId, event);
    this.#unstored.add(agent);
    this.#keep(agent);
    return this.#announce(change);
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

/** The change, or `undefined` if the event has no place in this copy, which may be out of date. */
function attempt(before: Agent, event: LifecycleEvent): Change | undefined {
  try {
    const [agent, effects] = transition(before, event);
    return { before, agent, effects };
  } catch (error) {
    if (error instanceof InvalidTransitionError) return undefined;
    throw error;
  }
}
