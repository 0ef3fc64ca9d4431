import type { Clock } from '../ports/clock.ts';

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms` milliseconds, firing every timer on the way in order, with pending promise callbacks run
   * before and after each. Resolves when all is quiet at the new time.
   */
  advance(ms: number): Promise<void>;
}

/** Enough promise callbacks for any chain of awaits between two timers in this library. */
const turns = 300;

/** `start`: milliseconds since the Unix epoch; default the first millisecond of 2026, UTC. */
export function manualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start;
  let count = 0;
  const timers = new Map<number, { readonly at: number; readonly fire: () => void }>();

  const quiet = async (): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await undefined;
  };

  const nextDue = (until: number): number | undefined => {
    let due: number | undefined;
    for (const [id, timer] of timers) {
      const first = due === undefined ? undefined : timers.get(due);
      if (timer.at <= until && (first === undefined || timer.at < first.at)) due = id;
    }
    return due;
  };

  return {
    now: () => now,
    setTimer(ms, fire) {
      const id = count++;
      timers.set(id, { at: now + Math.max(0, ms), fire });
      return () => {
        timers.delete(id);
      };
    },
    async advance(ms) {
      const until = now + ms;
      await quiet();
      for (let id = nextDue(until); id !== undefined; id = nextDue(until)) {
        const timer = timers.get(id);
        timers.delete(id);
        now = Math.max(now, timer?.at ?? now);
        timer?.fire();
        await quiet();
      }
      now = until;
    },
  };
}
