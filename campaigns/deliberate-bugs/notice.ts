import type { Changes } from '../changed-core/run-tests.ts';
import { testFilesOf } from '../changed-core/test-files.ts';
import type { Thread } from '../changed-core/thread.ts';

/** Ample, so that a busy machine does not pass for a test that notices something. */
const timeoutMs = 20_000;
const own = ['core/src', 'conformance/src'].flatMap(testFilesOf);

export interface Asked {
  /** Asked first; as in `DeliberateBug.noticedBy`. */
  readonly first: readonly string[];
  /** Whether nobody else is asked. */
  readonly alone?: boolean;
  /** Rounds of the simulation, by seed. */
  readonly seeds: readonly number[];
  /** Everybody is asked, also when somebody has noticed. */
  readonly all: boolean;
}

/** Who notices what is changed in core: texts that each begin with a test file or `simulation`. */
export async function notice(
  thread: Thread,
  changes: Changes,
  { first, alone = false, seeds, all }: Asked,
): Promise<string[]> {
  const noticed: string[] = [];
  for (const asked of alone ? first : [...first, ...own, 'simulation']) {
    const [file = '', only] = asked.split(' > ', 2);
    const what = file === 'simulation' ? { files: [], seeds } : { files: [file], seeds: [], only };
    const { caughtBy } = await thread.run({ changes, timeoutMs, ...what });
    if (caughtBy === undefined) continue;
    noticed.push(caughtBy.startsWith(file) ? caughtBy : `${file}: ${caughtBy}`);
    if (!all) break;
  }
  return [...new Set(noticed)];
}
