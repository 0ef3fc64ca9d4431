import type { Agent } from './agent.ts';
import type { AuditEvent } from './audit-event.ts';
import { agentKilled, orderJoined } from './audit-facts.ts';
import { CurrentOrder } from './current-order.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { StopStep } from './events.ts';
import { Kills } from './kills.ts';
import { Looks } from './looks.ts';
import type { OrderReport, StopOrder } from './order.ts';
import { OrderRecord } from './order-record.ts';
import { addMembers, reportOf } from './order-report.ts';
import { Settlement } from './settlement.ts';
import { Sight } from './sight.ts';
import type { Beginning, StopRunHost } from './stop-run-host.ts';
import type { Urgency } from './urgency.ts';
import { Wake } from './wake.ts';

const passMs = { first: 10, longest: 500, follower: 1_000 };

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
  readonly #host: StopRunHost;
  readonly #wake: Wake;
  readonly #order: CurrentOrder;
  readonly #kills: Kills;
  readonly #looks: Looks;
  readonly #record: OrderRecord;
  readonly #settlement: Settlement;
  readonly #sight = new Sight();
  /** Resolves when this host has looked through the scope once, or has failed to. Never rejects. */
  readonly looked: Promise<void> = this.#sight.looked;
  #stopped = false;
  #followed: StopRun | undefined;

  /** `met`: see {@link Looks}. */
  constructor(host: StopRunHost, order: StopOrder, beginning: Beginning, met?: number) {
    this.#host = host;
    this.#wake = new Wake(host.clock);
    const wake = (): void => this.#wake.wake();
    const joined = (by: StopOrder, open: StopOrder): void => this.record(orderJoined(by, open, host.hostId));
    this.#order = new CurrentOrder(
      { ...host, changed: () => this.#hasten(), joined },
      order,
      beginning !== 'unplaced',
    );
    this.#kills = new Kills({
      ...host,
      orderId: order.orderId,
      reason: order.reason,
      killAt: () => this.urgency.killAt,
      forceAt: () => this.urgency.forceAt,
      pursue: (agent) => host.pursue(agent, this),
      step: (step, agentId) => this.step(step, agentId),
      felled: (agent) => this.record(agentKilled(this.order, agent, host.hostId)),
      idle: wake,
    });
    this.#looks = new Looks(host.book, this.#order, this.#kills, met);
    if (beginning === 'found') host.leases.heard(order.hostId);
    this.#record = new OrderRecord(host, this.#order.isOwn, beginning === 'found');
    this.#settlement = new Settlement({
      ...host,
      order: this.#order,
      record: this.#record,
      kills: this.#kills,
      again: wake,
      settled: () => this.step('settled'),
    });
    this.ended = this.#run().finally(() => this.#sight.end());
    this.over = this.ended.then(() => this.#letGo());
  }

  get order(): StopOrder {
    return this.#order.version;
  }

  /** When the order's rungs are due here. */
  get urgency(): Urgency {
    return this.#order.urgency;
  }

  /** Whether the order stands in the state store. While it does not, its gate is this host's to keep. */
  get isPlaced(): boolean {
    return this.#order.isPlaced;
  }

  /** Takes over an order's newer version, for example one with nearer deadlines. */
  update(order: StopOrder): void {
    this.#order.update(order);
  }

  /** See {@link CurrentOrder.take}. */
  take(order: StopOrder): StopOrder {
    return this.#order.take(order);
  }

  /** See {@link CurrentOrder.mayHaveJoined}. */
  mayHaveJoined(orderId: string): void {
    this.#order.mayHaveJoined(orderId);
  }

  /** See {@link CurrentOrder.harden}. */
  harden(by: StopOrder): void {
    this.#order.harden(by);
  }

  /** See {@link CurrentOrder.unplace}. */
  unplace(): boolean {
    return this.#order.unplace();
  }

  /** Whether this host has looked through the scope once, or has tried to. */
  get hasLooked(): boolean {
    return this.#sight.hasLooked;
  }

  /** Every agent dealt with here, as it is known here. */
  agents(): Iterable<Agent> {
    return this.#kills.agents().values();
  }

  #hasten(): void {
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
    this.#record.add(event);
  }

  step(step: StopStep, agentId?: string): void {
    const { events, clock } = this.#host;
    if (!events.hasListener('step')) return;
    const about = agentId === undefined ? {} : { agentId };
    events.emit('step', { step, order: this.order, at: clock.now(), ...about });
  }

  /** What has become of the order so far. After the deadline, whoever is not observed dead is named `unconfirmed`. */
  async report(): Promise<OrderReport> {
    if (this.#followed !== undefined) return this.#followed.report();
    const { members } = this.#settlement;
    if (members !== undefined) return this.#reportOf(members);
    const agents = this.#kills.agents();
    // As it is now: whoever is claimed while the members are being read is not among them.
    const { blind } = this.#sight;
    const unread = await addMembers(agents, this.#host.book, this.order.orderId);
    return this.#reportOf(agents.values(), blind ?? unread);
  }

  #reportOf(agents: Iterable<Agent>, blind?: string): OrderReport {
    const now = this.#host.clock.now();
    return reportOf(this.order, agents, now, {
      blind: this.#sight.blind ?? blind ?? this.#sight.lackAt(now, this.order),
      isStored: this.isPlaced,
      late: this.#host.late(this.order),
    });
  }

  async #run(): Promise<void> {
    let pause = passMs.first;
    while (!this.#stopped) {
      let isSeen = false;
      try {
        if (!this.isPlaced && (await this.#order.place())) this.step('placed');
        this.#record.ownedHere(this.#order.isOwn);
        if (!this.#order.isOwn) await this.#order.takeOver();
        if (this.#order.isOwn) this.#record.addHardeners(this.order);
        const other = this.#host.runOf(this.order);
        if (other !== undefined && other !== this) return await this.#follow(other);
        if (!this.#sight.hasLooked) await this.#looks.own();
        // Whoever is put back by a host that is heard of only now is seen by the next look.
        const isWhole = this.#host.leases.awaited().length === 0;
        const living = this.#order.isSettled ? 0 : await this.#looks.through();
        isSeen = true;
        this.#sight.tried();
        if (this.#order.isSettled) return;
        // After the kills: a record that cannot be read holds up the settlement, never the sweep (I5).
        this.#record.ownedHere(this.#order.isOwn);
        if (!this.#record.isComplete) {
          if (await this.#record.complete(this.order, this.#order.isOwn)) this.#wake.wake();
        } else if (living === 0 && isWhole && (await this.#settlement.end())) return;
      } catch (error) {
        const what = describeError(error);
        // Whatever went wrong, those whom this host knows of die.
        this.#looks.here();
        // A record that fails after it hides nobody.
        if (!isSeen) this.#sight.tried(what);
        if (!isKillswitchError(error, 'state-unavailable'))
          this.#host.events.emit('warning', { message: `Order "${this.order.orderId}": ${what}` });
      }
      await this.#wake.sleep(pause);
      pause = Math.min(pause * 2, passMs.longest);
    }
  }

  /** The order has joined one that has a run here: two would do everything twice. */
  async #follow(run: StopRun): Promise<void> {
    this.#followed = run;
    void run.looked.then(() => this.#sight.end());
    await run.ended;
    this.#order.become(run.order);
  }

  /** Under a settled order everybody is dead on record: a pursuit here that has not heard of it is told. */
  async #letGo(): Promise<void> {
    let pause = passMs.first;
    while (this.#order.isSettled && !this.#stopped) {
      const living = await Promise.resolve(this.#kills.refreshUnseen(new Set())).catch(() => 1);
      if (living === 0) return;
      await this.#wake.sleep(pause);
      pause = Math.min(pause * 2, passMs.follower);
    }
  }

  /** See {@link Looks.outlived}. */
  outlived(): void {
    this.#looks.outlived();
  }
}
