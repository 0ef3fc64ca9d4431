import { type CollectedTest, CollectedTests } from './collected-tests.ts';
import { ModuleGraph } from './module-graph.ts';

/** A changed core: source texts by path below `packages`. */
export type Changes = ReadonlyMap<string, string>;

export interface TestRun {
  readonly passed: number;
  /** Tests that failed, and why. */
  readonly failed: readonly string[];
}

export interface RunOptions {
  /** Goes on after a failure. */
  readonly all?: boolean;
  /** What the names of the tests contain that are run. */
  readonly only?: string | undefined;
  /** Time for a test that has none of its own, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Runs test files of core and conformance against a changed core, until the first failure (`all`: to the end). A file
 * that cannot be loaded, and a test that is not through in its time, have failed.
 */
export async function runTests(
  files: readonly string[],
  changes: Changes,
  { all = false, only = '', timeoutMs }: RunOptions,
): Promise<TestRun> {
  const failed: string[] = [];
  let passed = 0;
  const run = async (file: string, { name, run: body, timeoutMs: own }: CollectedTest): Promise<void> => {
    if (failed.length > 0 && !all) return;
    try {
      await within(own ?? timeoutMs, body);
      passed += 1;
    } catch (error) {
      failed.push(`${file}: ${name}: ${textOf(error)}`);
    }
  };
  const given = new Map<string, Record<string, unknown>>();
  const graph = new ModuleGraph(changes, given);
  for (const file of files) {
    if (failed.length > 0 && !all) break;
    const collected = new CollectedTests();
    given.set('vitest', collected.vitest);
    try {
      graph.load(file);
    } catch (error) {
      failed.push(`${file}: ${textOf(error)}`);
    }
    const tests = collected.tests.filter(({ name }) => name.includes(only));
    if (tests.length === 0) failed.push(`${file}: no test is named like "${only}"`);
    for (const test of tests.filter((each) => !each.isConcurrent)) await run(file, test);
    const together = tests.filter((each) => each.isConcurrent);
    await Promise.all(together.map((test) => run(file, test)));
  }
  return { passed, failed };
}

async function within(ms: number, run: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not through after ${ms} ms`)), ms);
  });
  try {
    await Promise.race([(async () => run())(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
