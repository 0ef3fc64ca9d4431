import type { Clock } from '@agent-killswitch/core';
import { type ManualClock, manualClock } from '@agent-killswitch/core/memory';
import type { ClockFactory } from '../clock.ts';

/** What a broken clock does differently from a sound one. */
export type ClockBug = (sound: ManualClock) => Partial<Clock>;

export const clockBugs: Readonly<Record<string, ClockBug>> = {
  'now is whole milliseconds since the Unix epoch': (sound) => ({ now: () => sound.now() + 0.25 }),
  'now goes on with the time that passes, and never back': (sound) => {
    const start = sound.now();
    let steps = 0;
    // Looked at by itself it seems to move; only between two looks it falls behind what has passed.
    return { now: () => (steps++ > 3 ? sound.now() - (sound.now() - start > 60 ? 30 : 0) : sound.now()) };
  },
  'a timer fires once, not before its time': (sound) => ({
    setTimer(ms, fire) {
      const again = ms === 30 ? sound.setTimer(90, fire) : () => undefined;
      const cancel = sound.setTimer(ms, fire);
      return () => {
        cancel();
        again();
      };
    },
  }),
  'a timer of 0 ms fires soon, after setTimer has returned': (sound) => {
    let isFirst = true;
    return {
      setTimer(ms, fire) {
        if (ms !== 0 || !isFirst) {
          isFirst = false;
          return sound.setTimer(ms, fire);
        }
        fire();
        return () => undefined;
      },
    };
  },
  'a cancelled timer never fires, and the others do': (sound) => ({
    setTimer(ms, fire) {
      const cancel = sound.setTimer(ms, fire);
      const due = sound.now() + ms;
      return () => {
        if (sound.now() >= due) cancel();
      };
    },
  }),
  'a cancel that comes late or again does nothing': (sound) => {
    let newest = (): void => undefined;
    return {
      setTimer(ms, fire) {
        let hasFired = false;
        const cancel = sound.setTimer(ms, () => {
          hasFired = true;
          fire();
        });
        newest = cancel;
        return () => (hasFired ? newest() : cancel());
      },
    };
  },
  'timers fire in the order of their times': (sound) => ({
    setTimer: (ms, fire) => sound.setTimer(ms === 20 ? 70 : ms, fire),
  }),
  'a timer may set another one': (sound) => {
    let isFiring = false;
    return {
      setTimer: (ms, fire) =>
        isFiring
          ? () => undefined
          : sound.setTimer(ms, () => {
              isFiring = true;
              fire();
              isFiring = false;
            }),
    };
  },
};

export function clockFactory(bug: ClockBug = () => ({})): ClockFactory {
  let sound = manualClock();
  return {
    async open() {
      sound = manualClock();
      return { now: () => sound.now(), setTimer: (ms, fire) => sound.setTimer(ms, fire), ...bug(sound) };
    },
    advance: (ms) => sound.advance(ms),
  };
}
