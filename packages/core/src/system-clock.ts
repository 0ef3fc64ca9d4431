import type { Clock } from './ports/clock.ts';
import { steadyTime } from './steady-time.ts';

/** The only place in core that reads the machine's time and sets real timers. */
export const systemClock: Clock = {
  now: steadyTime(
    () => Date.now(),
    () => performance.now(),
  ),
  setTimer(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
