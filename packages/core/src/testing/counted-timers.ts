import { type ManualClock, manualClock } from '../memory/manual-clock.ts';

/** A clock that stands still, and how many of its timers have neither fired nor been cancelled. */
export function countedTimers(): { readonly clock: ManualClock; readonly pending: () => number } {
  const real = manualClock();
  const timers = new Set<object>();
  const clock: ManualClock = {
    ...real,
    setTimer(ms, fire) {
      const timer = {};
      timers.add(timer);
      const cancel = real.setTimer(ms, () => {
        timers.delete(timer);
        fire();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
  return { clock, pending: () => timers.size };
}
