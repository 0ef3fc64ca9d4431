/**
 * One promise of a port, checkable against any implementation. Framework-free: hand `name` and `run` to the test runner
 * you use, `for (const clause of stateStoreClauses) it(clause.name, () => clause.run(factory))`.
 */
export interface Clause<Factory> {
  /** What is promised, with the invariant or requirement it serves in brackets. */
  readonly name: string;
  /** Rejects with a {@link ConformanceError} if the promise is broken. */
  run(factory: Factory): Promise<void>;
}

/** An implementation broke a clause. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
}

/** Throws a {@link ConformanceError} saying what was expected, unless `condition` holds. */
export function expectThat(condition: unknown, expectation: string): asserts condition {
  if (!condition) throw new ConformanceError(expectation);
}
