/** Calls what somebody else made: what it throws, or what a promise that it returns rejects with, ends here. `undefined`: it threw. */
export function contained<T>(call: () => T): T | undefined {
  try {
    const answer = call();
    if (answer instanceof Promise) answer.catch(() => undefined);
    return answer;
  } catch {
    return undefined;
  }
}
