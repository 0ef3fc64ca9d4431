import { DeadlineError, describeError, StateUnavailableError } from './errors.ts';
import type { Clock } from './ports/clock.ts';
import type { StateStore } from './ports/state-store.ts';
import { SharedTimer } from './shared-timer.ts';

/** After an unanswered call the store is left alone this long: calls fail at once, so that a kill waits only once. */
const restMs = 1_000;
/** How long a listing of whatever was ever kept may take: a hundred thousand gates are a few seconds. */
const longMs = 30_000;

/** Calls on the state store, each with a deadline. */
export class StoreCalls {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #deadline: SharedTimer;
  readonly #longDeadline: SharedTimer;
  /** Absent as long as every call was answered: then nobody has to ask what time it is. */
  #restUntil: number | undefined;

  /** `storeMs`: how long one call may take, in milliseconds. */
  constructor(store: StateStore, clock: Clock, storeMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#deadline = new SharedTimer(clock, storeMs);
    this.#longDeadline = new SharedTimer(clock, longMs);
  }

  /** Whether the store tells which gates have changed. */
  get tellsGateChanges(): boolean {
    return this.#store.gateChanges !== undefined;
  }

  /**
   * `check` looks at the answer before anybody relies on it, and throws if it is none.
   * @throws StateUnavailableError if the store fails, does not answer in time, or did so a moment ago.
   */
  ask<T>(what: string, call: (store: StateStore) => Promise<T>, check?: (answer: T) => T): Promise<T> {
    return this.#isResting() ? this.#refuse(what) : this.askAnew(what, call, check);
  }

  /**
   * Like {@link ask}, for what may be long and that no kill waits for: that it takes a while says nothing of the store.
   * @throws StateUnavailableError
   */
  askAtLength<T>(what: string, call: (store: StateStore) => Promise<T>): Promise<T> {
    return this.#isResting()
      ? this.#refuse(what)
      : this.#within(what, this.#longDeadline, call, () => undefined);
  }

  /** Like {@link ask}, also if it did not answer a moment ago. */
  askAnew<T>(what: string, call: (store: StateStore) => Promise<T>, check?: (answer: T) => T): Promise<T> {
    const rest = (): void => {
      this.#restUntil = this.#clock.now() + restMs;
    };
    return this.#within(what, this.#deadline, call, rest, check);
  }

  /** Not by `withDeadline`: a stop of one agent makes ten such calls, and what it would add costs more than most of them. */
  #within<T>(
    what: string,
    deadline: SharedTimer,
    call: (store: StateStore) => Promise<T>,
    late: () => void,
    check?: (answer: T) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        cancel();
        reject(new StateUnavailableError(`${what}: ${describeError(error)}`, { cause: error }));
      };
      const cancel = deadline.begin(() => {
        late();
        fail(new DeadlineError(`${what} did not answer within ${deadline.ms} ms`));
      });
      const take = (answer: T): void => {
        cancel();
        try {
          resolve(check === undefined ? answer : check(answer));
        } catch (error) {
          fail(error);
        }
      };
      try {
        Promise.resolve(call(this.#store)).then(take, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  #isResting(): boolean {
    return this.#restUntil !== undefined && this.#clock.now() < this.#restUntil;
  }

  #refuse(what: string): Promise<never> {
    return Promise.reject(new StateUnavailableError(`${what}: the state store is not answering`));
  }
}
