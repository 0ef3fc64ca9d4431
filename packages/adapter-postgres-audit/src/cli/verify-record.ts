import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readCheckpoints } from '../checkpoint-file.ts';
import { verifyDatabase } from '../verify.ts';
import type { VerifyCommand } from './arguments.ts';
import { withPool } from './with-pool.ts';

const progressEvery = 100_000;

/** Says on stdout, in one line of JSON, what verification finds. Returns the exit code. */
export async function verifyRecord(command: VerifyCommand): Promise<number> {
  const key = command.key === undefined ? undefined : createPublicKey(await readFile(command.key));
  const { checkpoints, database } = command;
  const heads = key && checkpoints !== undefined ? await readCheckpoints(checkpoints, key) : [];
  let next = progressEvery;
  const onProgress = (count: number): void => {
    if (count < next) return;
    process.stderr.write(`${count} records\n`);
    next += progressEvery;
  };
  const report = await withPool(database, (pool) =>
    verifyDatabase(pool, { onProgress, heads, ...(key && { key }) }),
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}
