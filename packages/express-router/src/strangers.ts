/** So long attempts without known credentials are counted before the count starts anew. */
export const windowMs = 10_000;
const mostAttempts = 50;
const mostAddresses = 10_000;

/** Counts attempts without known credentials by address. Whoever has them is never counted. */
export class Strangers {
  #attempts = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  /** Counts one more attempt. Whether there were too many from there before it. */
  isTooMany(from: string): boolean {
    const address = networkOf(from);
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

/** Whoever has one address of IPv6 has all that begin with the same 64 bits. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const ending = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - ending.length;
  return [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...ending].slice(0, 4).join(':');
}
