import { simulate } from '../simulation/simulate.ts';
import { ModuleGraph } from './module-graph.ts';
import { runTests } from './run-tests.ts';

/** What is tried on a changed core. */
export interface Job {
  /** Source texts by path below `packages`. */
  readonly changes: ReadonlyMap<string, string>;
  /** Test files, by path below `packages`. */
  readonly files: readonly string[];
  /** What the names of the tests contain that are run. Default: all are. */
  readonly only?: string | undefined;
  /** Rounds of the simulation, by seed, after the tests. */
  readonly seeds: readonly number[];
  /** Time for one test that has none of its own, in milliseconds. */
  readonly timeoutMs: number;
}

/** What has noticed the change: the first failure, or nothing. */
export interface JobResult {
  readonly caughtBy?: string;
  readonly passed: number;
}

/** Tries one thing after the other until something fails. */
export async function work({ changes, files, only, seeds, timeoutMs }: Job): Promise<JobResult> {
  const { passed, failed } = await runTests(files, changes, { only, timeoutMs });
  if (failed[0] !== undefined) return { passed, caughtBy: failed[0] };
  const graph = new ModuleGraph(changes, new Map());
  for (const [n, seed] of seeds.entries()) {
    const core = { ...graph.load('core/src/index.ts'), ...graph.load('core/src/memory/index.ts') };
    const [broken] = await simulate(core, seed);
    if (broken !== undefined)
      return { passed: passed + n, caughtBy: `simulation, seed ${seed}: ${broken.split('\n', 1)[0]}` };
  }
  return { passed: passed + seeds.length };
}
