import type { Admissions } from './admissions.ts';
import type { Book } from './book.ts';
import type { Cleanup } from './cleanup.ts';
import type { GateCopies } from './gate-copies.ts';
import type { Leases } from './leases.ts';
import type { LostState } from './lost-state.ts';
import type { Clock } from './ports/clock.ts';
import type { Releases } from './releases.ts';
import type { Stops } from './stops.ts';

const roundMs = 1_000;
/** However many hints come, they are followed at most this often. */
const hintMs = 20;

export interface ReconcilerHost {
  readonly clock: Clock;
  readonly book: Book;
  readonly leases: Leases;
  readonly stops: Stops;
  readonly admissions: Admissions;
  readonly releases: Releases;
  readonly cleanup: Cleanup;
  readonly copies: GateCopies;
  readonly lost: LostState;
}

/**
 * Once a second, everything that nobody may have told this host: orders of other hosts, changes that the store missed,
 * doubtful admissions and releases, cleanups that a crash cut off, hosts whose lease has run out. Each is tried whatever became of
 * the others.
 */
export class Reconciler {
  readonly #host: ReconcilerHost;
  #cancel: (() => void) | undefined;
  #cancelHint: (() => void) | undefined;
  #stopped = false;
  #isHinted = false;
  #hintedAt = Number.NEGATIVE_INFINITY;

  constructor(host: ReconcilerHost) {
    this.#host = host;
  }

  /** Takes up the open orders that have no run here. @throws StateUnavailableError. */
  async follow(): Promise<void> {
    const { book, stops } = this.#host;
    const { met } = book;
    const orders = await book.ask('listing open orders', (store) => store.listOpenOrders());
    // After the close nobody would end what is taken up here.
    if (!this.#stopped) stops.follow(orders, met);
  }

  /** Somebody else may have changed something. */
  hint(): void {
    if (this.#isHinted || this.#stopped) return;
    this.#isHinted = true;
    const { clock, stops } = this.#host;
    const since = clock.now() - this.#hintedAt;
    this.#cancelHint = clock.setTimer(Math.max(0, hintMs - since), () => {
      this.#isHinted = false;
      this.#hintedAt = clock.now();
      // What fails here is done by the next round.
      this.follow().then(
        () => stops.look(),
        () => undefined,
      );
    });
  }

  start(): void {
    this.#cancel = this.#host.clock.setTimer(roundMs, () => void this.#round());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancelHint?.();
  }

  async #round(): Promise<void> {
    const { book, leases, admissions, releases, cleanup, copies, lost } = this.#host;
    // What takes as long as there is of it goes on beside: whoever is to die waits for none of it (I5).
    for (const task of [
      () => leases.listen(),
      async () => void lost.putBack(),
      () => this.follow(),
      () => copies.look(),
      async () => void book.tell().catch((error) => lost.notice(error)),
      () => admissions.settleDoubts(),
      async () => admissions.settleEndings(),
      () => releases.settleDoubts(),
      () => cleanup.resume(),
    ]) {
      // What fails now is tried again in the next round.
      await task().catch((error) => lost.notice(error));
      if (this.#stopped) return;
    }
    this.start();
  }
}
