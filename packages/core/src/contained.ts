/**
 * Calls what somebody else made and nobody waits for. What it throws, or the promise rejects with that it should not have
 * returned, is contained: the answer is then `otherwise`, or the promise.
 */
export function contained<T>(otherwise: T, call: () => T): T {
  try {
    const answer = call();
    if (answer instanceof Promise) answer.catch(() => undefined);
    return answer;
  } catch {
    return otherwise;
  }
}
