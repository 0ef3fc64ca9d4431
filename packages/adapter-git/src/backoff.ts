const longestMs = 600_000;

interface Failure {
  readonly tries: number;
  /** `undefined` when it may be tried again. */
  timer?: NodeJS.Timeout | undefined;
}

/** What has failed, and may be tried again: first after `firstMs`, then after twice as long each time, at most ten minutes. */
export class Backoff {
  readonly #failures = new Map<string, Failure>();
  readonly #firstMs: number;
  readonly #retry: () => void;

  /** @param retry when something may be tried again; it does not keep the process alive */
  constructor(firstMs: number, retry: () => void) {
    this.#firstMs = firstMs;
    this.#retry = retry;
  }

  isWaiting(key: string): boolean {
    return this.#failures.get(key)?.timer !== undefined;
  }

  add(key: string): void {
    const { tries = 0, timer } = this.#failures.get(key) ?? {};
    clearTimeout(timer);
    const failure: Failure = { tries: tries + 1 };
    failure.timer = setTimeout(
      () => {
        failure.timer = undefined;
        this.#retry();
      },
      Math.min(this.#firstMs * 2 ** Math.min(tries, 30), longestMs),
    );
    failure.timer.unref();
    this.#failures.set(key, failure);
  }

  forget(key: string): void {
    clearTimeout(this.#failures.get(key)?.timer);
    this.#failures.delete(key);
  }

  /** Everything may be tried again. */
  hurry(): void {
    for (const failure of this.#failures.values()) {
      clearTimeout(failure.timer);
      failure.timer = undefined;
    }
  }

  /** Nothing is tried again. */
  close(): void {
    for (const key of [...this.#failures.keys()]) this.forget(key);
  }
}
