import type { Agent } from './agent.ts';
import type { AuditEvent } from './audit-event.ts';
import { agentKilled, agentUnconfirmed, orderJoined, orderRequested, orderSettled } from './audit-facts.ts';
import type { Book } from './book.ts';
import type { Cleanup } from './cleanup.ts';
import { withDeadline } from './deadline.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { GuardedEvents, StopStep } from './events.ts';
import { Kills } from './kills.ts';
import type { Leases } from './leases.ts';
import type { OrderReport, StopOrder } from './order.ts';
import { type KilledOrKilling, membersOf, reportOf } from './order-report.ts';
import { placeOrder } from './place-order.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Pursuit } from './pursuit.ts';
import type { Recorder } from './recorder.ts';
import { scopeKey } from './scope.ts';
import { sweep } from './sweep.ts';
import type { VolleyHost } from './volley.ts';
import { Wake } from './wake.ts';

const passMs = { first: 10, longest: 500, follower: 1_000 };
const durableMs = 1_000;
const recoverReadMs = 10_000;

export interface StopRunHost extends Omit<VolleyHost, 'reason'> {
  readonly book: Book;
  readonly recorder: Recorder;
  readonly sink: AuditSink;
  readonly events: GuardedEvents;
  readonly cleanup: Cleanup;
  readonly leases: Leases;
  /** Starts or joins the kill of a claimed agent on this host. */
  readonly pursue: (agent: Agent, run: StopRun) => Pursuit;
  /** What lives in the order's scope although its record is closed, one sentence each. */
  readonly late: () => readonly string[];
}

/** How a run begins: with its order placed in the store, not yet placed (the store is down), or found open there. */
export type Beginning = 'placed' | 'unplaced' | 'found';

/**
 * One open stop order on this host, until it has settled: sweep the scope in pages, claim whoever is there, have every
 * claimed agent pursued, look again until a listing of the scope is empty, clean up, settle.
 *
 * Only the order's owner settles it, so that the settlement is recorded once: the host that took the request, or, once
 * that host is silent, whoever has taken it over. Other hosts sweep and pursue what they reach, and end when they see it
 * settled. All of it can be repeated after a crash at any point.
 */
export class StopRun {
  /** Resolves when the order has settled, as far as this host can see, or this host shuts down. Never rejects. */
  readonly ended: Promise<void>;
  /** Resolves when the order has ended and nobody is pursued for it here any more. Never rejects. */
  readonly over: Promise<void>;
  /** Resolves when this host has looked through the scope once, or has failed to. Never rejects. */
  readonly looked: Promise<void>;
  readonly #host: StopRunHost;
  readonly #wake: Wake;
  readonly #kills: Kills;
  #order: StopOrder;
  #beginning: Beginning;
  #stopped = false;
  /** Why the scope could not be looked through at the last try. */
  #blind: string | undefined;
  #hasLooked = false;
  #setLooked = (): void => undefined;
  /** Event ids already on record, for an order that was found open. */
  #onRecord: ReadonlySet<string> = new Set();
  #settledAt: number | undefined;
  /** Whether all that follows from stored state was given to the recorder. */
  #isTold: boolean;
  #wasOwner: boolean;
  #isOutlived = false;
  /** Ids of agents whose death this run has put on record. */
  readonly #toldDead = new Set<string>();
  /** Ids of agents that this run has put on record as not confirmed dead. */
  readonly #toldUnconfirmed = new Set<string>();

  constructor(host: StopRunHost, order: StopOrder, beginning: Beginning) {
    this.#host = host;
    this.#order = order;
    this.#beginning = beginning;
    this.#wake = new Wake(host.clock);
    this.#kills = new Kills({
      ...host,
      reason: order.reason,
      killAt: () => this.#order.killAt,
      pursue: (agent) => host.pursue(agent, this),
      step: (step, agentId) => this.step(step, agentId),
      felled: (agent) => this.record(agentKilled(this.#order, agent, host.hostId)),
      idle: () => this.#wake.wake(),
    });
    if (beginning === 'unplaced') host.book.holdClaims(order.orderId);
    if (beginning === 'found') host.leases.heard(order.hostId);
    this.#wasOwner = this.#owns();
    this.#isTold = beginning !== 'found' || !this.#wasOwner;
    this.looked = new Promise((resolve) => {
      this.#setLooked = resolve;
    });
    this.ended = this.#run().finally(() => this.#setLooked());
    this.over = this.ended.then(() => this.#letGo());
  }

  get order(): StopOrder {
    return this.#order;
  }

  /** Whether the order stands in the state store. While it does not, its gate is this host's to keep. */
  get isPlaced(): boolean {
    return this.#beginning !== 'unplaced';
  }

  /** Takes over an order's newer version, for example one with nearer deadlines. */
  update(order: StopOrder): void {
    if (order.revision <= this.#order.revision) return;
    this.#order = order;
    this.#wake.wake();
    this.#kills.hasten();
  }

  /** Looks at the scope again now, if it depends on what others do. */
  look(): void {
    if (this.#kills.waitsForOthers) this.#wake.wake();
  }

  /** Ends the run without settling, for a host that shuts down; the order stays open. */
  stop(): void {
    this.#stopped = true;
    this.#wake.wake();
  }

  /** Puts an event that follows from stored state on the record, unless this order's earlier life did. */
  record(event: AuditEvent): void {
    if (event.type === 'agent.killed') this.#toldDead.add(event.agentId);
    if (event.type === 'agent.unconfirmed') this.#toldUnconfirmed.add(event.agentId);
    // What the recorder has no room for is told again from the state before the order settles.
    if (!this.#onRecord.has(event.id) && !this.#host.recorder.offer(event)) this.#isTold = false;
  }

  step(step: StopStep, agentId?: string): void {
    const { events, clock } = this.#host;
    if (!events.hasListener('step')) return;
    const about = agentId === undefined ? {} : { agentId };
    events.emit('step', { step, order: this.#order, at: clock.now(), ...about });
  }

  /** What has become of the order so far. After the deadline, whoever is not observed dead is named `unconfirmed`. */
  async report(): Promise<OrderReport> {
    const agents = this.#kills.agents();
    // As it is now: whoever is claimed while the members are being read is not among them.
    let blind = this.#blind;
    try {
      for await (const page of this.#members()) {
        for (const agent of page) {
          // What is pursued here is better known here than in the store, until it is dead.
          if (agent.status === 'killed' || !agents.has(agent.agentId)) agents.set(agent.agentId, agent);
        }
      }
    } catch (error) {
      if (!isKillswitchError(error, 'state-unavailable')) throw error;
      blind = describeError(error);
    }
    const now = this.#host.clock.now();
    const isOverdue = now >= this.#order.deadlineAt;
    return reportOf(this.#order, agents.values(), now, {
      blind: this.#blind ?? blind ?? (isOverdue && !this.#hasLooked ? 'that goes on' : undefined),
      isStored: this.isPlaced,
      late: this.#host.late(),
    });
  }

  async #run(): Promise<void> {
    let pause = passMs.first;
    while (!this.#stopped) {
      try {
        if (this.#beginning === 'unplaced') await this.#place();
        await this.#takeOver();
        const living = this.#isSettled() ? 0 : await this.#pass();
        this.#blind = undefined;
        if (this.#isSettled()) return;
        // After the kills: a record that cannot be read holds up the settlement, never the sweep (I5).
        if (this.#mustTellAgain()) await this.#tellAgain();
        else if (living === 0 && (await this.#end())) return;
      } catch (error) {
        this.#blind = describeError(error);
        // Whatever went wrong, those whom this host knows of die.
        this.#sweepHere();
        if (!isKillswitchError(error, 'state-unavailable'))
          this.#host.events.emit('warning', { message: `Order "${this.#order.orderId}": ${this.#blind}` });
      }
      this.#hasLooked = true;
      this.#setLooked();
      await this.#wake.sleep(pause);
      pause = Math.min(pause * 2, passMs.longest);
    }
  }

  /** Under a settled order everybody is dead on record: a pursuit here that has not heard of it is told. */
  async #letGo(): Promise<void> {
    let pause = passMs.first;
    while (this.#isSettled() && !this.#stopped) {
      if ((await this.#kills.refreshUnseen(new Set()).catch(() => 1)) === 0) return;
      await this.#wake.sleep(pause);
      pause = Math.min(pause * 2, passMs.follower);
    }
  }

  async #place(): Promise<void> {
    // It may have been stored without an answer, and since then have been joined, released or settled by other hosts.
    const { book } = this.#host;
    const { orderId } = this.#order;
    const stored = await book.ask('reading an order', (store) => store.getOrder(orderId));
    if (stored !== undefined) {
      this.#beginning = 'placed';
      book.releaseClaims(orderId, orderId);
      this.update(stored);
      return;
    }
    const placement = await placeOrder(book, this.#order);
    this.#beginning = 'placed';
    book.releaseClaims(orderId, placement.placed ? orderId : placement.open.orderId);
    // Another host asked for the same in the meantime: its order goes on, with what was done under this one.
    if (!placement.placed && placement.open.orderId !== this.#order.orderId) {
      this.record(orderJoined(this.#order, placement.open, this.#host.hostId));
      this.#order = placement.open;
    }
    this.step('placed');
  }

  /** One look through the whole scope. Returns how many live agents it listed that are this order's to kill. */
  async #pass(): Promise<number> {
    const seen = new Set<string>();
    for await (const { order, changes } of sweep(this.#host.book, this.#order)) {
      this.update(order);
      for (const { agent } of changes) seen.add(agent.agentId);
      this.#kills.take(changes);
    }
    if (this.#isSettled()) return 0;
    await this.#kills.refreshUnseen(seen);
    return seen.size;
  }

  /** A function of its own, since the order changes under the loop's awaits. */
  #isSettled(): boolean {
    return this.#order.settledAt !== undefined;
  }

  /** The store let somebody in whom the gate should have barred: it has been opened, and nobody here knew. */
  outlived(): void {
    this.#isOutlived = true;
  }

  #sweepHere(): void {
    if (this.#isOutlived || this.#order.released !== undefined) return;
    this.#kills.take(this.#host.book.claimHere(scopeKey(this.#order.scope), this.#order.orderId));
  }

  /** The scope is empty. Returns whether this run is over. */
  async #end(): Promise<boolean> {
    const { book, hostId, recorder, clock, leases } = this.#host;
    // A host that was paused has to look first whether it still has a say.
    if (!this.#owns() || !leases.isHeard) {
      const stored = await book.ask('reading an order', (store) => store.getOrder(this.#order.orderId));
      if (stored !== undefined) this.#order = stored;
      if (stored === undefined || stored.settledAt !== undefined) return true;
      if (!this.#owns()) return false;
    }
    if (this.#host.late().length > 0) return false;
    await book.tell();
    if (book.untold > 0) return false;
    let total = 0;
    let killed = 0;
    for await (const page of this.#members()) {
      total += page.length;
      for (const agent of page) {
        if (!this.#isMemberTold(agent)) this.#isTold = false;
        // The listing of the scope was older than the claim, and a released order counts only whom it has claimed.
        if (agent.status !== 'killed') return false;
        killed += 1;
        this.#kills.cleanUp(agent);
      }
    }
    // Who saw it may have died before it could say so; or it never ran, which its host knew without a look.
    if (!this.#isTold) {
      this.#wake.wake();
      return false;
    }
    // Only an empty listing right before counts: look again at what came while the cleanup was going on.
    if (await this.#kills.wereCleaning()) {
      this.#wake.wake();
      return false;
    }
    if (this.#settledAt === undefined) {
      this.#settledAt = clock.now();
      this.record(orderSettled(this.#order, hostId, this.#settledAt, total, killed));
    }
    if (!this.#isTold) {
      this.#settledAt = undefined;
      return false;
    }
    // Settled on record first, then in state: an order is never forgotten before its record is durable (I4).
    if (!(await recorder.flush(durableMs))) return false;
    return this.#settle(this.#settledAt);
  }

  async #settle(settledAt: number): Promise<boolean> {
    const { book } = this.#host;
    const settled = { ...this.#order, revision: this.#order.revision + 1, settledAt };
    if (await book.ask('settling an order', (store) => store.swapOrder(settled))) {
      this.#order = settled;
      this.step('settled');
      return true;
    }
    const stored = await book.ask('reading an order', (store) => store.getOrder(this.#order.orderId));
    if (stored !== undefined) this.#order = stored;
    return stored?.settledAt !== undefined;
  }

  /** Whether this run has put on record what became of an agent that its order claimed. */
  #isMemberTold({ agentId, status, kill }: KilledOrKilling): boolean {
    if (kill.orderIds[0] !== this.#order.orderId) return true;
    if (kill.unconfirmedAt !== undefined && !this.#toldUnconfirmed.has(agentId)) return false;
    return status !== 'killed' || this.#toldDead.has(agentId);
  }

  /** An order that was found open, or taken over from a lost host, may have done more than is on record. */
  #mustTellAgain(): boolean {
    if (!this.#wasOwner && this.#owns()) {
      this.#wasOwner = true;
      this.#isTold = false;
    }
    return !this.#isTold;
  }

  /** Puts on record what follows from stored state and is not there yet. */
  async #tellAgain(): Promise<void> {
    const { hostId, clock, recorder } = this.#host;
    if (!(await recorder.flush(durableMs))) return;
    this.#onRecord = await withDeadline(clock, 'reading the audit record', recoverReadMs, () =>
      this.#readRecord(),
    );
    this.#isTold = true;
    if (this.#owns()) this.record(orderRequested(this.#order, hostId));
    for await (const page of this.#members()) {
      for (const agent of page) {
        if (agent.kill.orderIds[0] !== this.#order.orderId) continue;
        if (agent.kill.unconfirmedAt !== undefined) this.record(agentUnconfirmed(this.#order, agent, hostId));
        if (agent.status === 'killed') this.record(agentKilled(this.#order, agent, hostId));
      }
      await recorder.flush(durableMs);
      if (!this.#isTold) return;
    }
    this.#wake.wake();
  }

  async #readRecord(): Promise<Set<string>> {
    const ids = new Set<string>();
    for await (const { event } of this.#host.sink.read({ orderId: this.#order.orderId })) ids.add(event.id);
    return ids;
  }

  #owns(): boolean {
    return this.#order.hostId === this.#host.hostId;
  }

  /**
   * An order whose owner is silent is taken over: of those who try one wins, and whatever the former owner still stores of
   * the order, late, is refused as made from an older revision.
   */
  async #takeOver(): Promise<void> {
    const { book, hostId, leases } = this.#host;
    if (this.#owns() || this.#isSettled() || !leases.isSilent(this.#order.hostId)) return;
    const mine = { ...this.#order, hostId, revision: this.#order.revision + 1 };
    if (await book.ask('taking over an order', (store) => store.swapOrder(mine))) this.#order = mine;
    else {
      const stored = await book.ask('reading an order', (store) => store.getOrder(mine.orderId));
      if (stored !== undefined) this.update(stored);
    }
  }

  #members(): AsyncGenerator<readonly KilledOrKilling[]> {
    return membersOf(this.#host.book, this.#order.orderId);
  }
}
