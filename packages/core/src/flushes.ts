import type { Clock } from './ports/clock.ts';

/** Counts events that were accepted and that are durable, and answers who waits until all that was accepted is durable. */
export class Flushes {
  readonly #clock: Clock;
  #accepted = 0;
  #durable = 0;
  readonly #open = new Set<{ readonly target: number; readonly done: () => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  accepted(): void {
    this.#accepted += 1;
  }

  durable(count: number): void {
    this.#durable += count;
    for (const flush of [...this.#open]) {
      if (flush.target > this.#durable) continue;
      this.#open.delete(flush);
      flush.done();
    }
  }

  /** Resolves `true` when all that was accepted so far is durable; `false`, after `late`, when `ms` milliseconds have passed before. */
  wait(ms: number, late: () => void): Promise<boolean> {
    const target = this.#accepted;
    if (this.#durable >= target) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(ms, () => {
        this.#open.delete(flush);
        late();
        resolve(false);
      });
      const done = (): void => {
        cancel();
        resolve(true);
      };
      const flush = { target, done };
      this.#open.add(flush);
    });
  }
}
