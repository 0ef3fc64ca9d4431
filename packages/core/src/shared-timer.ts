import type { Clock } from './ports/clock.ts';

/** What was begun within the same millisecond. */
interface Group {
  readonly begunAt: number;
  readonly open: Set<() => void>;
  readonly cancel: () => void;
}

/**
 * Deadlines of one length, of which those that begin within the same millisecond share a timer, and pass together: of many calls at
 * once nearly all are answered at once, and a timer for each costs more than most of them.
 */
export class SharedTimer {
  /** How long each of them is, in milliseconds. */
  readonly ms: number;
  readonly #clock: Clock;
  #newest: Group | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.ms = ms;
  }

  /** Calls `late`, which must not throw, once the time is over, unless the returned function was called before. */
  begin(late: () => void): () => void {
    const group = this.#groupOfNow();
    group.open.add(late);
    return () => {
      if (!group.open.delete(late) || group.open.size > 0) return;
      group.cancel();
      if (this.#newest === group) this.#newest = undefined;
    };
  }

  #groupOfNow(): Group {
    const begunAt = this.#clock.now();
    if (this.#newest?.begunAt === begunAt) return this.#newest;
    const open: Group['open'] = new Set();
    const cancel = this.#clock.setTimer(this.ms, () => {
      if (this.#newest?.open === open) this.#newest = undefined;
      // Whoever is answered on the way leaves the set, and is not late.
      for (const late of open) late();
    });
    this.#newest = { begunAt, open, cancel };
    return this.#newest;
  }
}
