/**
 * Lets what is nobody's hurry go on a little in each turn of the event loop, so that a stop never waits for all of it, and
 * nobody waits for all that somebody else has asked for.
 */
export class Shares {
  readonly #atOnce: number;
  readonly #waiting = new Map<string, (() => void)[]>();

  /** `atOnce`: so many go on in one turn of the event loop. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Resolves when it is this one's turn: each `who` in turn, what the same `who` has asked for in the order of asking. */
  next(who: string): Promise<void> {
    if (this.#waiting.size === 0) setImmediate(() => this.#go());
    return new Promise((resolve) => {
      const mine = this.#waiting.get(who);
      if (mine === undefined) this.#waiting.set(who, [resolve]);
      else mine.push(resolve);
    });
  }

  #go(): void {
    for (let i = 0; i < this.#atOnce; i += 1) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const [who, mine] = first;
      this.#waiting.delete(who);
      mine.shift()?.();
      if (mine.length > 0) this.#waiting.set(who, mine);
    }
    if (this.#waiting.size > 0) setImmediate(() => this.#go());
  }
}
