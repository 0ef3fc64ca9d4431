/** Lets those wait who had better begin when nobody is at work any more, for example dying. */
export class Quiet {
  readonly #maxMs: number;
  readonly #waiting = new Set<() => void>();
  #busy = 0;

  /** @param maxMs that anyone waits, should there always be somebody at work */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work;
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) {
        for (const wake of this.#waiting) wake();
        this.#waiting.clear();
      }
    }
  }

  async come(): Promise<void> {
    if (this.#busy === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        this.#waiting.delete(wake);
        resolve();
      }, this.#maxMs);
      const wake = (): void => {
        clearTimeout(late);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }
}
