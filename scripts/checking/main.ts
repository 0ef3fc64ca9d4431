import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allChecks } from './checks.ts';

const folder = await mkdtemp(join(tmpdir(), 'killswitch-check-'));
let failed = 0;
const checks = allChecks(folder);
try {
  for (const [index, { name, find, decisive }] of checks.entries()) {
    const since = performance.now();
    const faults = await find().catch((error) => [error instanceof Error ? error.message : String(error)]);
    const ms = Math.round(performance.now() - since);
    process.stdout.write(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${ms} ms)\n`);
    for (const fault of faults) process.stdout.write(`${fault.replaceAll(/^/gm, '       ')}\n`);
    if (faults.length > 0) failed++;
    if (faults.length > 0 && decisive) {
      failed += checks.length - index - 1;
      process.stdout.write(
        `     ${checks.length - index - 1} checks that build on this were not made and count as wrong\n`,
      );
      break;
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(`checks: ${checks.length - failed} right, ${failed} wrong\n`);
if (failed > 0) process.exitCode = 1;
