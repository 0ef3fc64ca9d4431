/** So many go on in one turn of the event loop. */
const atOnce = 8;

/** Lets work that is nobody's hurry go on a little in each turn of the event loop, so that a stop never waits for all of it. */
export class Shares {
  #waiting: (() => void)[] = [];

  /** Resolves when it is this one's share, in the order of asking. */
  next(): Promise<void> {
    if (this.#waiting.length === 0) setImmediate(() => this.#go());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #go(): void {
    for (const resolve of this.#waiting.splice(0, atOnce)) resolve();
    if (this.#waiting.length > 0) setImmediate(() => this.#go());
  }
}
