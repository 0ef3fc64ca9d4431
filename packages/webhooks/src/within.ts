import { type Clock, DeadlineError } from '@agent-killswitch/core';

/** Settles as `work` does, which may throw at once. @throws DeadlineError after `ms` milliseconds. */
export function within<T>(clock: Clock, ms: number, what: string, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(ms, () => reject(new DeadlineError(`${what}: no answer within ${ms} ms`)));
    Promise.resolve().then(work).then(resolve, reject).finally(cancel);
  });
}
