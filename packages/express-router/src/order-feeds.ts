import type { Killswitch } from '@agent-killswitch/core';
import type { ServerEvent } from './http.ts';
import { stepsOf } from './order-steps.ts';

/** How long what this host does may wait to be told, and what another does, in milliseconds. */
const hintedMs = 100;
const unhintedMs = 1_000;

/** So many steps are told at once. */
const blockSize = 200;

/** Steps that are told together, the same to all who listen: what is made of them is made once. */
export interface Block {
  readonly events: readonly ServerEvent[];
  /** When each of them was taken. */
  readonly times: readonly number[];
}

/**
 * The steps of one order in the order in which they became known, for all who listen to it: however many they are, the
 * order is read once. While nobody can say how it fares, nothing is told.
 */
export class OrderFeed {
  readonly blocks: Block[] = [];
  /** Nothing more comes. */
  settled = false;
  readonly #ks: Killswitch;
  readonly #orderId: string;
  readonly #known = new Set<string>();
  readonly #end = new AbortController();
  #waiting: (() => void)[] = [];
  #wake: () => void = () => undefined;
  #hinted = false;

  constructor(ks: Killswitch, orderId: string) {
    this.#ks = ks;
    this.#orderId = orderId;
    void this.#follow();
  }

  /** Resolves when there is more than there was, or the signal is given. */
  more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.push(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  /** Nobody listens any more. */
  end(): void {
    this.#end.abort();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#end;
    const unhear = this.#ks.on('step', ({ order }) => {
      if (order.orderId !== this.#orderId) return;
      this.#hinted = true;
      this.#wake();
    });
    while (!signal.aborted && !this.settled) {
      this.#hinted = false;
      const begun = performance.now();
      await this.#read();
      for (const tell of this.#waiting.splice(0)) tell();
      if (this.settled) break;
      // A big order is not read all the time.
      await pause(Math.max(hintedMs, 4 * (performance.now() - begun)), signal);
      if (!this.#hinted) await pause(unhintedMs, signal, (resolve) => (this.#wake = resolve));
    }
    unhear();
  }

  async #read(): Promise<void> {
    const report = await this.#ks.report(this.#orderId).catch(() => undefined);
    if (report === undefined) return;
    const fresh = stepsOf(report).filter(({ id }) => !this.#known.has(id));
    for (const { id } of fresh) this.#known.add(id);
    for (let begin = 0; begin < fresh.length; begin += blockSize) {
      const block = fresh.slice(begin, begin + blockSize);
      this.blocks.push({
        events: block.map(({ id, step, data }) => ({ id, event: step, data })),
        times: block.map(({ at }) => at),
      });
    }
    this.settled = report.settled;
  }
}

/** One feed per order, as long as somebody listens to it. */
export class OrderFeeds {
  readonly #ks: Killswitch;
  readonly #feeds = new Map<string, { readonly feed: OrderFeed; listeners: number }>();

  constructor(ks: Killswitch) {
    this.#ks = ks;
  }

  /** Each has to {@link leave}. */
  join(orderId: string): OrderFeed {
    const known = this.#feeds.get(orderId) ?? { feed: new OrderFeed(this.#ks, orderId), listeners: 0 };
    known.listeners += 1;
    this.#feeds.set(orderId, known);
    return known.feed;
  }

  leave(orderId: string): void {
    const known = this.#feeds.get(orderId);
    if (known === undefined) return;
    known.listeners -= 1;
    if (known.listeners > 0) return;
    known.feed.end();
    this.#feeds.delete(orderId);
  }
}

/** Resolves after `ms`, when the signal is given, or when `hear`'s callback is called. */
function pause(ms: number, signal: AbortSignal, hear?: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
    hear?.(done);
  });
}
