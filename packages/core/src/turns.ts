import type { Clock } from './ports/clock.ts';

/** After so long everything else in this process is to have its turn, in milliseconds. */
const longestMs = 50;

/**
 * Turns for everything else in this process: where no port does any I/O, as with state in memory, a stop of very many agents is
 * one chain of promise callbacks, and no timer, no request and no other stop gets in between (I5).
 */
export class Turns {
  readonly #clock: Clock;
  #since: number;
  #turn: Promise<void> | undefined;

  /** Begins with a piece of work, now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /**
   * Between two pieces of work: lets others have their turn if it is long that they had one. Their turn is asked for one piece
   * of work ahead, so that it comes at once and nobody waits for a timer.
   */
  async give(): Promise<void> {
    if (this.#turn !== undefined) {
      await this.#turn;
      this.#turn = undefined;
      this.#since = this.#clock.now();
    } else if (this.#clock.now() - this.#since >= longestMs) {
      this.#turn = new Promise((resolve) => void this.#clock.setTimer(0, resolve));
    }
  }
}
