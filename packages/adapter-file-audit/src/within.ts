/** The system did not answer in time. What it still does is nobody's any more. */
class TimedOut extends Error {
  readonly code = 'ETIMEDOUT';
}

export function timedOut(ms: number): Error {
  return new TimedOut(`no answer within ${ms} ms`);
}

/** Settles as `work` does, or rejects after `ms` milliseconds with an error whose code is `ETIMEDOUT`. */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(timedOut(ms)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
