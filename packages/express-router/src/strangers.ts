/** So long attempts without known credentials are counted before the count starts anew. */
export const windowMs = 10_000;
const mostAttempts = 50;
const mostAddresses = 10_000;

/** Counts attempts without known credentials by address. Whoever has them is never counted. */
export class Strangers {
  #attempts = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  /** Counts one more attempt. Whether there were too many from there before it. */
  isTooMany(address: string): boolean {
    const now = performance.now();
    if (now - this.#since >= windowMs) {
      this.#attempts = new Map();
      this.#since = now;
    }
    const before = this.#attempts.get(address);
    if (before !== undefined || this.#attempts.size < mostAddresses)
      this.#attempts.set(address, (before ?? 0) + 1);
    return (before ?? 0) >= mostAttempts;
  }
}
