import type { Clock } from '@agent-killswitch/core';

/** So many are kept; the oldest give way (I12). */
export const mostKept = 1_000;
const atOnce = 25;

/** Takes any number of things in no time, and hands them on in portions, each in a turn of its own: whoever adds may be a kill. */
export class Overflow<T> {
  readonly #clock: Clock;
  readonly #handOn: (portion: readonly T[]) => void;
  #kept: T[] = [];
  #isWaiting = false;

  constructor(clock: Clock, handOn: (portion: readonly T[]) => void) {
    this.#clock = clock;
    this.#handOn = handOn;
  }

  add(some: readonly T[]): void {
    for (const one of some.slice(-mostKept)) this.#kept.push(one);
    // Not at each: moving all of them would cost more than everything else here.
    if (this.#kept.length > 2 * mostKept) this.#trim();
    this.#wait();
  }

  /** Hands on all that is left, now, and lets others have their turn in between. */
  async drain(): Promise<void> {
    while (this.#kept.length > 0) {
      this.#handOnSome();
      await new Promise(setImmediate);
    }
  }

  #trim(): void {
    if (this.#kept.length > mostKept) this.#kept = this.#kept.slice(-mostKept);
  }

  #handOnSome(): void {
    this.#trim();
    if (this.#kept.length > 0) this.#handOn(this.#kept.splice(0, atOnce));
  }

  #wait(): void {
    if (this.#isWaiting || this.#kept.length === 0) return;
    this.#isWaiting = true;
    this.#clock.setTimer(0, () => {
      this.#isWaiting = false;
      this.#handOnSome();
      this.#wait();
    });
  }
}
