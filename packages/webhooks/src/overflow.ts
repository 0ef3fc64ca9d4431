import type { Clock } from '@agent-killswitch/core';

/** The oldest give way (I12). */
const most = 1_000;
const atOnce = 100;

/** Takes things in no time, and hands them on in portions, each in a turn of its own: whoever adds may be a kill. */
export class Overflow<T> {
  readonly #clock: Clock;
  readonly #handOn: (portion: readonly T[]) => void;
  #kept: T[] = [];
  #isWaiting = false;

  constructor(clock: Clock, handOn: (portion: readonly T[]) => void) {
    this.#clock = clock;
    this.#handOn = handOn;
  }

  add(one: T): void {
    this.#kept.push(one);
    if (this.#kept.length > most) this.#kept.shift();
    this.#wait();
  }

  /** Hands on all that is left. */
  flush(): void {
    while (this.#kept.length > 0) this.#handOn(this.#kept.splice(0, atOnce));
  }

  #wait(): void {
    if (this.#isWaiting || this.#kept.length === 0) return;
    this.#isWaiting = true;
    this.#clock.setTimer(0, () => {
      this.#isWaiting = false;
      if (this.#kept.length > 0) this.#handOn(this.#kept.splice(0, atOnce));
      this.#wait();
    });
  }
}
