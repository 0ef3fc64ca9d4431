/**
 * Lets all that comes within one turn of the event loop go on together, step by step side by side. One after the other, each between
 * two reads of sockets, they take twice the time: a processor has forgotten by then what it had learnt of the one before
 * (decision 020).
 */
export class Gathering {
  #waiting: Array<() => void> = [];

  /** Resolves when everything else that came in this turn is there. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => this.#go());
    });
  }

  #go(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    // In one callback: what comes of two would run one after the other.
    for (const go of waiting) go();
  }
}
