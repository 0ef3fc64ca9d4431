/** How many calls of one kind may be left unanswered; more come only every half minute (I12). */
const most = 3;
const everyMs = 30_000;

/** Counts the calls on runtimes that have not come back, by kind. It holds no more than hangs. */
export class Unanswered {
  readonly #calls = new Map<string, { count: number; at: number }>();

  /** Before a call is made: returns what is to be called once it has come back. `undefined`: too many like it hang. */
  begin(kind: string, now: number): (() => void) | undefined {
    const calls = this.#calls.get(kind) ?? { count: 0, at: now };
    if (calls.count >= most && now - calls.at < everyMs) return undefined;
    calls.count += 1;
    calls.at = now;
    this.#calls.set(kind, calls);
    return () => {
      calls.count -= 1;
      if (calls.count === 0) this.#calls.delete(kind);
    };
  }
}
