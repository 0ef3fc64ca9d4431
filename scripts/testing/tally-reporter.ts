import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { Tally } from './tally.ts';

/** Names the file that the tally goes to. */
export const tallyVariable = 'AGENT_KILLSWITCH_TALLY';

/** Writes the numbers of a run as JSON when it ends. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env[tallyVariable];
    if (file === undefined) throw new Error(`${tallyVariable} is not set`);
    writeFileSync(file, JSON.stringify(count(modules, unhandledErrors.length)));
  }
}

function count(modules: readonly TestModule[], unhandledErrors: number): Tally {
  const tally = { passed: 0, failed: unhandledErrors, skipped: 0 };
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') tally.passed++;
      else if (state === 'skipped') tally.skipped++;
      else failedTests++;
    }
    // A file or a suite that broke outside its tests counts once.
    tally.failed += failedTests === 0 && !module.ok() ? 1 : failedTests;
  }
  return tally;
}
