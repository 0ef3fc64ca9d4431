import type { Clock } from '@agent-killswitch/core';
import { type AttemptHost, attempt, type Outcome } from './attempt.ts';
import { backoffMs, type RetryOptions } from './backoff.ts';
import { GivenUp, type GivenUpHost } from './given-up.ts';
import type { Message } from './message.ts';
import type { Parcel } from './parcel.ts';
import type { EndpointSettings } from './settings.ts';
import { signedHeaders } from './signature.ts';

/** Between the starts of two attempts: however much there is to tell, other work of this process goes first. */
const paceMs = 5;

/** How an endpoint fares. */
export interface EndpointStatus {
  readonly name: string;
  /** `busy`: the receiver asked for a pause, or is not there. `gone`: it answered 410, and nothing is sent any more. */
  readonly state: 'open' | 'busy' | 'gone' | 'closed';
  /** Messages on their way, those that are tried again later included. */
  readonly waiting: number;
  readonly delivered: number;
  /** Messages given up. */
  readonly dead: number;
  /** What came of the last attempt that failed, without the URL. */
  readonly lastError?: string;
}

export interface DeliveryHost extends AttemptHost, GivenUpHost {
  readonly clock: Clock;
  readonly retry: Required<RetryOptions>;
  /** What receivers take for the time, in milliseconds since the Unix epoch. */
  readonly wallTime: () => number;
  /** At least 0, below 1. */
  readonly chance: () => number;
  /** How many messages may wait; one more is given up at once (I12). */
  readonly mostWaiting: number;
  readonly atOnce: number;
  /** A letter was delivered after all. */
  readonly unearth: (letterId: string) => void;
}

/**
 * What one endpoint is sent: the oldest first, few at once; what failed is tried again later, and keeps nothing waiting.
 * Whoever calls `send` waits for nothing and never hears of a failure (I5).
 *
 * - open: whatever is due is sent.
 * - busy: the receiver said so, or did not answer; nothing is sent until the pause is over.
 * - gone: it answered 410; what waited is dead, what comes is dropped. Left by `reopen`.
 * - closed: what was not delivered is dead.
 */
export class Delivery {
  readonly #endpoint: EndpointSettings;
  readonly #host: DeliveryHost;
  #fresh: Parcel[] = [];
  /** Failed before; the next one due first. */
  #failed: Parcel[] = [];
  readonly #sending = new Set<Parcel>();
  /** Dead letters on their way. */
  readonly #letters = new Set<string>();
  readonly #givenUp: GivenUp;
  #busyUntil = 0;
  #nextAt = 0;
  #isGone = false;
  #isClosed = false;
  #delivered = 0;
  #lastError: string | undefined;
  /** When it goes on, if it sleeps. */
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #settled = (): void => undefined;

  constructor(endpoint: EndpointSettings, host: DeliveryHost) {
    this.#endpoint = endpoint;
    this.#host = host;
    this.#givenUp = new GivenUp(endpoint.name, host);
  }

  get status(): EndpointStatus {
    const isBusy = this.#host.clock.now() < this.#busyUntil;
    return {
      name: this.#endpoint.name,
      state: this.#isClosed ? 'closed' : this.#isGone ? 'gone' : isBusy ? 'busy' : 'open',
      waiting: this.#waiting,
      delivered: this.#delivered,
      dead: this.#givenUp.count,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** Whether it is on its way now. `letterId`: of the dead letter that it is. */
  send(message: () => Message, letterId?: string): boolean {
    if (this.#isClosed || this.#isGone) return false;
    if (letterId !== undefined && this.#letters.has(letterId)) return true;
    const parcel: Parcel = { message, letterId, tries: 0, dueAt: 0 };
    if (this.#waiting >= this.#host.mostWaiting) {
      // A letter stays where it is.
      if (letterId === undefined) this.#bury([parcel], `${this.#host.mostWaiting} messages waited already`);
      return false;
    }
    if (letterId !== undefined) this.#letters.add(letterId);
    this.#fresh.push(parcel);
    this.#sleep();
    return true;
  }

  /** Hands on all dead letters there are. */
  handOn(): Promise<void> {
    return this.#givenUp.handOn();
  }

  /** Sends again to an endpoint that was gone. */
  reopen(): void {
    this.#isGone = false;
  }

  /** Takes nothing more, delivers what is due for up to `ms` milliseconds, and gives up the rest. */
  async close(ms: number): Promise<void> {
    if (ms > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = this.#host.clock.setTimer(ms, resolve);
      this.#settled = resolve;
      this.#settle();
      await promise;
      cancel();
    }
    this.#isClosed = true;
    this.#givenUp.hush();
    this.#timer?.cancel();
    this.#buryAll('closed before it was known to be delivered');
    await this.handOn();
    this.#host.connections.cut();
  }

  get #waiting(): number {
    return this.#fresh.length + this.#failed.length + this.#sending.size;
  }

  /** Goes on when something is due: never in the turn of whoever sends, which may be a kill's. */
  #sleep(): void {
    if (this.#isClosed || this.#isGone || this.#sending.size >= this.#host.atOnce) return;
    const dueAt = this.#fresh.length > 0 ? 0 : this.#failed[0]?.dueAt;
    if (dueAt === undefined) return;
    const now = this.#host.clock.now();
    const at = Math.max(now, dueAt, this.#busyUntil, this.#nextAt);
    // A timer that is anew for each of a stream of messages would never fire.
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = this.#host.clock.setTimer(at - now, () => this.#go());
    this.#timer = { at, cancel };
  }

  #go(): void {
    this.#timer = undefined;
    const now = this.#host.clock.now();
    if (now >= Math.max(this.#busyUntil, this.#nextAt) && this.#sending.size < this.#host.atOnce) {
      const again = this.#failed[0];
      const parcel = again !== undefined && again.dueAt <= now ? this.#failed.shift() : this.#fresh.shift();
      this.#nextAt = now + paceMs;
      if (parcel !== undefined) void this.#deliver(parcel);
    }
    this.#sleep();
  }

  async #deliver(parcel: Parcel): Promise<void> {
    const { url, keys } = this.#endpoint;
    this.#sending.add(parcel);
    const message = parcel.message();
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'agent-killswitch',
      ...signedHeaders(keys, message, this.#host.wallTime()),
    };
    const outcome = await attempt(url, headers, message.body, this.#host);
    // Closed meanwhile: it was given up with the others.
    if (!this.#sending.delete(parcel)) return;
    parcel.tries += 1;
    this.#take(parcel, outcome);
    this.#settle();
    this.#sleep();
  }

  #take(parcel: Parcel, outcome: Outcome): void {
    const { clock, retry, chance, trouble, unearth } = this.#host;
    const { name } = this.#endpoint;
    if (outcome.kind === 'delivered') {
      this.#delivered += 1;
      this.#givenUp.delivered();
      if (parcel.letterId !== undefined) {
        this.#letters.delete(parcel.letterId);
        unearth(parcel.letterId);
      }
      return;
    }
    this.#lastError = outcome.kind === 'gone' ? 'answered 410' : outcome.error;
    if (outcome.kind === 'gone') {
      this.#isGone = true;
      trouble(`Webhook endpoint "${name}" answered 410: nothing is sent there any more`);
      this.#bury([parcel], 'answered 410');
      this.#buryAll('the endpoint answered 410');
      return;
    }
    const backoff = backoffMs(parcel.tries, retry, chance());
    const pause = Math.min(retry.longestMs, Math.max(outcome.retryAfterMs ?? 0, backoff));
    if (outcome.isBusy) this.#busyUntil = clock.now() + Math.min(pause, outcome.retryAfterMs ?? backoff);
    if (parcel.tries >= retry.tries) {
      this.#bury([parcel], outcome.error);
      return;
    }
    parcel.dueAt = clock.now() + pause;
    const place = this.#failed.findLastIndex(({ dueAt }) => dueAt <= parcel.dueAt) + 1;
    this.#failed.splice(place, 0, parcel);
  }

  #buryAll(error: string): void {
    const all = [...this.#sending, ...this.#failed, ...this.#fresh];
    this.#sending.clear();
    this.#failed = [];
    this.#fresh = [];
    this.#bury(all, error);
  }

  #bury(parcels: readonly Parcel[], error: string): void {
    for (const { letterId } of parcels) if (letterId !== undefined) this.#letters.delete(letterId);
    this.#givenUp.take(parcels, error);
  }

  /** Whoever closes waits only for what is due. */
  #settle(): void {
    if (this.#fresh.length === 0 && this.#sending.size === 0) this.#settled();
  }
}
