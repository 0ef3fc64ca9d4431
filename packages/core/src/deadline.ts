import pTimeout from 'p-timeout';
import { DeadlineError } from './errors.ts';
import type { Clock } from './ports/clock.ts';

/**
 * Runs `work`, which may throw synchronously, hang or reject, and settles within `ms` milliseconds. At the deadline
 * the signal given to `work` aborts and whatever it still does is ignored. An exhausted budget (`ms` ≤ 0) does not
 * start the work at all.
 * @throws DeadlineError naming `what`, or what `work` threw.
 */
export async function withDeadline<T>(
  clock: Clock,
  what: string,
  ms: number,
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  if (ms <= 0) throw new DeadlineError(`${what}: no time left`);
  // A signal costs as much as all the rest: work that takes none gets none to take.
  const abort = work.length === 0 ? undefined : new AbortController();
  const answer = work(abort?.signal as AbortSignal);
  // What is there already needs no deadline.
  if (typeof (answer as Partial<Promise<T>> | undefined)?.then !== 'function') return answer;
  return pTimeout((async () => answer)(), {
    milliseconds: ms,
    customTimers: {
      setTimeout: ((fire: () => void, delay: number) =>
        clock.setTimer(delay, fire)) as unknown as typeof setTimeout,
      clearTimeout: ((cancel: () => void) => cancel()) as unknown as typeof clearTimeout,
    },
    fallback: () => {
      const error = new DeadlineError(`${what} did not answer within ${ms} ms`);
      abort?.abort(error);
      throw error;
    },
  });
}
