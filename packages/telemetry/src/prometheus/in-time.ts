import type { Clock } from '@agent-killswitch/core';

/** What a promise resolves with, or `undefined` if that takes longer than `ms` milliseconds, or it rejects. */
export function inTime<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(Math.max(0, ms), () => resolve(undefined));
    const end = (value?: T): void => {
      cancel();
      resolve(value);
    };
    promise.then(end, () => end());
  });
}
