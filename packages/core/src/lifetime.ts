import type { Book } from './book.ts';
import type { Cleanup } from './cleanup.ts';
import type { Deadlines } from './config.ts';
import { describeError, NotStartedError, UnsavedError } from './errors.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Leases } from './leases.ts';
import type { StateStore } from './ports/state-store.ts';
import type { Reconciler } from './reconciler.ts';
import type { Recorder } from './recorder.ts';
import { type RestoreHost, restore } from './restore.ts';
import { type ReviewHost, reviewOwnAgents } from './review.ts';
import { scopeKey } from './scope.ts';
import type { Stops } from './stops.ts';

export interface LifetimeHost extends RestoreHost, ReviewHost {
  readonly book: Book;
  readonly recorder: Recorder;
  readonly deadlines: Deadlines;
  readonly state: StateStore;
  readonly leases: Leases;
  readonly stops: Stops;
  readonly cleanup: Cleanup;
  readonly keeper: LeaseKeeper;
  readonly reconciler: Reconciler;
}

/** A killswitch from its start to its close. */
export class Lifetime {
  readonly #host: LifetimeHost;
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #unwatch = (): void => undefined;

  constructor(host: LifetimeHost) {
    this.#host = host;
  }

  /** See `Killswitch.start`. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  /** See `Killswitch.close`. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Resolves once it has started. @throws NotStartedError if it was not asked to, or is closed; or why it could not start. */
  async running(): Promise<void> {
    if (this.#started === undefined || this.#closed !== undefined) throw new NotStartedError();
    await this.#started;
  }

  async #start(): Promise<void> {
    const { sink, leases, reconciler, cleanup, keeper, state, events } = this.#host;
    await sink.open?.();
    await leases.renew();
    await leases.listen();
    // Kills go on at once, however long the record takes to be read (I5); then those that only it knew of.
    await reconciler.follow();
    await restore(this.#host);
    await reconciler.follow();
    await reviewOwnAgents(this.#host);
    await cleanup.resume();
    if (this.#closed !== undefined) return;
    keeper.start();
    reconciler.start();
    try {
      this.#unwatch = state.watch(() => reconciler.hint());
    } catch (error) {
      // A hint saves time, no more.
      events.emit('warning', { message: `The state store gives no hints: ${describeError(error)}` });
    }
  }

  async #close(): Promise<void> {
    const { keeper, reconciler, stops, cleanup, book, recorder, deadlines } = this.#host;
    this.#unwatch();
    keeper.stop();
    reconciler.stop();
    const unplaced = stops.unplaced();
    stops.stop();
    cleanup.stop();
    await book.tell().catch(() => undefined);
    await recorder.flush(deadlines.state);
    const unsaved = [
      ...unplaced.map(
        ({ orderId, scope }) => `stop order ${orderId} on ${scopeKey(scope)} is not in the state store`,
      ),
      ...stops.late(),
      ...(book.untold > 0 ? [`changes of ${book.untold} agents are not in the state store`] : []),
      ...(recorder.waiting > 0 ? [`${recorder.waiting} audit events are on the last resort only`] : []),
    ];
    recorder.stop();
    if (unsaved.length > 0) throw new UnsavedError(unsaved);
  }
}
