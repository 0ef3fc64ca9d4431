import type { Book } from './book.ts';
import type { Cleanup } from './cleanup.ts';
import type { Deadlines } from './config.ts';
import { describeError, isKillswitchError, NotStartedError, UnsavedError } from './errors.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Leases } from './leases.ts';
import type { LostState } from './lost-state.ts';
import type { OpenedFirst } from './opened-first.ts';
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
  readonly sink: OpenedFirst;
  readonly keeper: LeaseKeeper;
  readonly lost: LostState;
  readonly reconciler: Reconciler;
}

/** A killswitch from its start to its close. */
export class Lifetime {
  readonly #host: LifetimeHost;
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #isFollowing = false;
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

  /**
   * Each of these awaits is bounded: a call on the store by `deadlines.state`, the listing of all gates by 30 s, the opening of
   * the sink by 90 s, its reading by 60 s each time, a look at an agent of an earlier life by 1 s a handle.
   */
  async #start(): Promise<void> {
    const { sink, leases, reconciler, cleanup, copies, lost } = this.#host;
    await leases.renew();
    await leases.listen();
    await reconciler.follow();
    // Stops are followed and the lease is kept from here on, however long the rest takes, and whatever becomes of it (I5).
    this.#follow();
    await reviewOwnAgents(this.#host);
    lost.begin();
    // Nobody is let in before what only the record knows of is back in the store (I1, I9).
    if (await this.#open(sink)) await restore(this.#host);
    else await copies.begin(new Set());
    await reconciler.follow();
    await cleanup.resume();
  }

  #follow(): void {
    if (this.#isFollowing || this.#closed !== undefined) return;
    this.#isFollowing = true;
    const { keeper, reconciler, state, events } = this.#host;
    keeper.start();
    reconciler.start();
    try {
      this.#unwatch = state.watch(() => reconciler.hint());
    } catch (error) {
      // A hint saves time, no more.
      events.emit('warning', { message: `The state store gives no hints: ${describeError(error)}` });
    }
  }

  /** Whether the sink is open. One that hangs is down until it has opened. @throws what its `open` rejects with. */
  async #open(sink: OpenedFirst): Promise<boolean> {
    const { recorder, events } = this.#host;
    try {
      await sink.open();
      return true;
    } catch (error) {
      if (!isKillswitchError(error, 'deadline')) throw error;
      const why = describeError(error);
      recorder.distrust(why);
      events.emit('warning', { message: `The record was not compared with the state store: ${why}` });
      return false;
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
