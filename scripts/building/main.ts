import { buildAll } from './build.ts';

try {
  await buildAll((name, ms) => process.stderr.write(`built ${name} (${ms} ms)\n`));
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
