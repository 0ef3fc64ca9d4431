import { withDeadline } from './deadline.ts';
import { describeError, isKillswitchError, StateUnavailableError } from './errors.ts';
import type { Clock } from './ports/clock.ts';
import type { StateStore } from './ports/state-store.ts';

/** After an unanswered call the store is left alone this long: calls fail at once, so that a kill waits only once. */
const restMs = 1_000;
/** How long a listing of whatever was ever kept may take: a hundred thousand gates are a few seconds. */
const longMs = 30_000;

/** Calls on the state store, each with a deadline. */
export class StoreCalls {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #storeMs: number;
  #restUntil = 0;

  /** `storeMs`: how long one call may take, in milliseconds. */
  constructor(store: StateStore, clock: Clock, storeMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#storeMs = storeMs;
  }

  /** Whether the store tells which gates have changed. */
  get tellsGateChanges(): boolean {
    return this.#store.gateChanges !== undefined;
  }

  /** @throws StateUnavailableError if the store fails, does not answer in time, or did so a moment ago. */
  async ask<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    this.#requireAwake(what);
    return this.askAnew(what, call);
  }

  /**
   * Like {@link ask}, for what may be long and that no kill waits for: that it takes a while says nothing of the store.
   * @throws StateUnavailableError
   */
  async askAtLength<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    this.#requireAwake(what);
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

  #requireAwake(what: string): void {
    if (this.#clock.now() < this.#restUntil)
      throw new StateUnavailableError(`${what}: the state store is not answering`);
  }
}
