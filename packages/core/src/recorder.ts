import type { AuditEvent } from './audit-event.ts';
import { describeError, isKillswitchError } from './errors.ts';
import { eventRefused } from './event-refused.ts';
import type { GuardedEvents } from './events.ts';
import { Flushes } from './flushes.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Clock } from './ports/clock.ts';
import { ToldFacts } from './told-facts.ts';
import { areDenials, type LastResort, WaitingFacts } from './waiting-facts.ts';

const batchSize = 1_000;
const retryMs = { first: 100, longest: 5_000 };
/** An append that takes longer than this counts as an outage. */
const hungMs = 1_000;

/**
 * Carries audit events to the sink in order, one batch at a time, and never makes a kill wait for more than it asks.
 *
 * - idle: nothing waits. Left by `record`.
 * - appending: one batch is with the sink. Left when it answers; events that come meanwhile form the next batch.
 * - degraded: the sink rejected a batch or has had one for over a second. Every event that waits is written once to the last
 *   resort; half of what it rejected is tried again, with growing pauses. Left when nothing waits any more.
 * - narrowing: the sink will never take one of a batch. Half of it is tried, until the one is found, which goes to the
 *   last resort; a stand-in takes its place, and nothing else changes its own. One refused itself is an outage.
 *
 * So many events wait (I12); past that, events that can be told again are, later; others go to the last resort alone, which is
 * an outage, too. Of denials, which anybody can bring about, fewer wait; what is more is announced, and no outage: it crowds out
 * nothing, and keeps nobody from starting.
 */
export class Recorder {
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #events: GuardedEvents;
  readonly #waiting: WaitingFacts;
  readonly #told: ToldFacts;
  readonly #flushes: Flushes;
  /** How many are given to the sink at once: half as many after each failure, twice as many after each success. */
  #size = batchSize;
  /** When the first of those that wait came, or the last one before it became durable. */
  #waitingSince = 0;
  #running = false;
  /** Whether the sink has still to open. */
  #isUnready = false;
  #degraded = false;
  /** Whether it was announced that events go to the last resort alone, since all were durable. */
  #isFull = false;
  #stopped = false;
  #cancelPause: (() => void) | undefined;

  constructor(sink: AuditSink, clock: Clock, events: GuardedEvents, lastResort: LastResort) {
    this.#sink = sink;
    this.#clock = clock;
    this.#events = events;
    this.#waiting = new WaitingFacts(lastResort);
    this.#told = new ToldFacts(events);
    this.#flushes = new Flushes(clock);
  }

  /** How many events are not durable yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get degraded(): boolean {
    return this.#degraded;
  }

  /** How long events have waited without any becoming durable, in milliseconds. */
  get lagMs(): number {
    return this.#waiting.length === 0 ? 0 : this.#clock.now() - this.#waitingSince;
  }

  /**
   * Takes events, all or none, to be appended in one batch if they fit into one. `false`: there is no room, and they are on the
   * last resort alone.
   */
  record(...events: AuditEvent[]): boolean {
    const hasRoom = this.#waiting.hasRoomFor(events, false);
    if (!hasRoom) this.#overflow(areDenials(events));
    for (const event of events) {
      if (hasRoom) this.#take(event);
      else this.#waiting.lose(event);
      this.#told.tell(event, false);
    }
    this.#goOn();
    return hasRoom;
  }

  /**
   * Takes events that can be told again from stored state, all or none. `false`: there is no room for them now. In an outage
   * they are on the last resort all the same.
   */
  offer(...events: AuditEvent[]): boolean {
    return this.#offer(events, false);
  }

  /** Like {@link offer}, of what another host was asked for. */
  copy(event: AuditEvent): boolean {
    return this.#offer([event], true);
  }

  #offer(events: readonly AuditEvent[], isCopy: boolean): boolean {
    const hasRoom = this.#waiting.hasRoomFor(events, true);
    for (const event of events) {
      if (hasRoom) this.#take(event);
      else if (this.#degraded) this.#waiting.lose(event);
      // What there was no room for is told when it is offered again.
      if (hasRoom) this.#told.tell(event, isCopy);
    }
    this.#goOn();
    return hasRoom;
  }

  #take(event: AuditEvent): void {
    if (this.#waiting.length === 0) this.#waitingSince = this.#clock.now();
    this.#waiting.push(event);
    this.#flushes.accepted();
  }

  /** Once until all that waits is durable: an outage, unless it is only about who may nothing. */
  #overflow(isOfDenials: boolean): void {
    const isNews = !this.#isFull;
    this.#isFull = true;
    const error = `${this.#waiting.length} events wait: what there is no room for goes to the last resort alone`;
    if (!isOfDenials && !this.#degraded) this.#degrade(error);
    else if (isNews) this.#events.emit('audit-degraded', { error, waiting: this.#waiting.length });
  }

  #goOn(): void {
    if (this.#degraded || this.#stopped) this.#waiting.spill();
    if (!this.#running) void this.#run();
  }

  /** The sink did not open in time: an outage, until it has. */
  distrust(why: string): void {
    this.#isUnready = true;
    this.#degrade(why);
    this.#goOn();
  }

  /** Resolves `true` when every event recorded so far is durable, `false` when `ms` milliseconds have passed before. */
  flush(ms: number): Promise<boolean> {
    // Whoever waited goes on now, and a crash from here on must not lose what they were told.
    return this.#flushes.wait(ms, () => this.#waiting.spill());
  }

  /** Tries no more. What could not be made durable is on the last resort. */
  stop(): void {
    this.#stopped = true;
    this.#cancelPause?.();
    this.#waiting.spill();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let pause = retryMs.first;
    while ((this.#waiting.length > 0 || this.#isUnready) && !this.#stopped) {
      const batch = this.#waiting.first(this.#size);
      const cancel = this.#clock.setTimer(hungMs, () => this.#degrade(`no answer within ${hungMs} ms`));
      try {
        await this.#sink.append(batch);
        this.#isUnready = false;
        this.#waiting.remove(batch);
        this.#waitingSince = this.#clock.now();
        this.#flushes.durable(batch.length);
        this.#size = Math.min(this.#size * 2, batchSize);
        pause = retryMs.first;
      } catch (error) {
        // It did answer: the pause that follows may be longer than an append.
        cancel();
        if (this.#narrow(batch, error)) continue;
        this.#degrade(describeError(error));
        // A sink that is slow may not take all of it within its deadline, however often.
        this.#size = Math.max(1, Math.ceil(batch.length / 2));
        await this.#pause(pause);
        pause = Math.min(pause * 2, retryMs.longest);
      } finally {
        cancel();
      }
    }
    this.#running = false;
    if (this.#degraded || this.#isFull) {
      this.#degraded = false;
      this.#isFull = false;
      this.#events.emit('audit-restored', { waiting: 0 });
    }
  }

  /** `false`: the sink does not say that it is about one of these events, or not one that could be replaced. */
  #narrow(batch: readonly AuditEvent[], error: unknown): boolean {
    const [event] = batch;
    if (event === undefined || !isKillswitchError(error, 'invalid-input')) return false;
    this.#size = Math.ceil(batch.length / 2);
    if (batch.length > 1) return true;
    if (event.type === 'audit.event-refused') return false;
    const standIn = eventRefused(event, error, this.#clock.now());
    this.#waiting.replaceFirst(event, standIn);
    this.#told.tell(standIn, false);
    const message = `The audit sink refuses event "${standIn.refusedId}" for good; it is on the last resort: ${standIn.error}`;
    this.#events.emit('warning', { message });
    return true;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.setTimer(ms, resolve);
      this.#cancelPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #degrade(error: string): void {
    this.#degraded = true;
    this.#waiting.spill();
    this.#events.emit('audit-degraded', { error, waiting: this.#waiting.length });
  }
}
