/** What a test run came to. */
export interface Tally {
  readonly passed: number;
  /** Failed tests, test files that could not be run, and errors outside any test. */
  readonly failed: number;
  readonly skipped: number;
}

/** The line that ends a test run, alone on stdout. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The run's exit code: the runner's own, and never 0 if something failed or nothing was executed. */
export function exitCode(runnerCode: number | null, tally: Tally): number {
  if (runnerCode !== 0) return runnerCode ?? 1;
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0;
}
