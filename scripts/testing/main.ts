import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../lib/run.ts';
import { Interrupted } from '../services/interruption.ts';
import { runAndSweep } from '../services/run-and-sweep.ts';
import { isCi, NamedServiceError } from '../services/service.ts';
import { withServices } from '../services/with-services.ts';
import { neededServices, vitest } from './needed-services.ts';
import { exitCode, type Tally, tallyLine } from './tally.ts';
import { tallyVariable } from './tally-reporter.ts';

const reporter = fileURLToPath(new URL('./tally-reporter.ts', import.meta.url));
const args = process.argv.slice(2);
let tally: Tally = { passed: 0, failed: 0, skipped: 0 };
let code: number;
try {
  code = exitCode(await test(), tally);
} catch (error) {
  code = error instanceof Interrupted ? 130 : 1;
  const plain =
    error instanceof Interrupted || error instanceof NamedServiceError || error instanceof CommandError;
  process.stderr.write(`test: ${error instanceof Error ? (plain ? error.message : error.stack) : error}\n`);
}
if (code !== 0 && tally.passed + tally.failed === 0) process.stderr.write('test: no test was executed\n');
process.stdout.write(`\n${tallyLine(tally)}\n`);
process.exitCode = code;

/** Runs the selected tests with the services they need; answers the runner's exit code. */
async function test(): Promise<number | null> {
  return withServices(await neededServices(args), async ({ env, missing }) => {
    const folder = await mkdtemp(join(tmpdir(), 'killswitch-tests-'));
    try {
      const file = join(folder, 'tally.json');
      const end = await runAndSweep(process.execPath, [vitest, 'run', ...reporters(), ...args], {
        ...env,
        [tallyVariable]: file,
      });
      const written = await readFile(file, 'utf8').catch(() => undefined);
      if (written !== undefined) tally = JSON.parse(written);
      if (missing.length === 0 || !isCi) return end.code;
      process.stderr.write(
        `test: under CI every service has to be there; no ${missing.map((one) => one.name)}\n`,
      );
      return 1;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Vitest's usual output unless the caller chose another, and the tally. */
function reporters(): string[] {
  const chosen = args.some((arg) => arg.startsWith('--reporter'));
  return [...(chosen ? [] : ['--reporter=default']), `--reporter=${reporter}`];
}
