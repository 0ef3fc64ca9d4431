import { type Clause, expectThat } from './clause.ts';

/** Rejects with a ConformanceError if `promise` takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, expectation: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  const first = await Promise.race([promise.then((value) => ({ value })), late]).finally(() =>
    clearTimeout(timer),
  );
  expectThat(first !== 'late', `${expectation} within ${ms} ms`);
  return first.value;
}

/** How long a whole clause may take, in milliseconds. What never answers has broken it. */
const clauseMs = 25_000;

/** A clause for a factory that is closed after it, also after one that failed. */
export function closing<Factory extends { close?(): Promise<void> }>(
  name: string,
  check: (factory: Factory) => Promise<void>,
): Clause<Factory> {
  return {
    name,
    async run(factory) {
      try {
        await within(clauseMs, check(factory), 'what is tested answers');
      } finally {
        await factory.close?.();
      }
    },
  };
}

/** The same value, of which nothing can be changed any more: who tries gets a TypeError. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}
