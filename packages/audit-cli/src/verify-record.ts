import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { verifyJournal } from '@agent-killswitch/adapter-file-audit';
import { readCheckpoints, verifyDatabase } from '@agent-killswitch/adapter-postgres-audit';
import type { VerifyCommand } from './arguments.ts';
import { withPool } from './with-pool.ts';

const progressEvery = 100_000;

/** Says on stdout, in one line of JSON, what verification finds. Returns the exit code. */
export async function verifyRecord({ source, key: keyFile, checkpoints }: VerifyCommand): Promise<number> {
  const key = keyFile === undefined ? undefined : createPublicKey(await readFile(keyFile));
  const heads = key && checkpoints !== undefined ? await readCheckpoints(checkpoints, key) : [];
  let next = progressEvery;
  const onProgress = (count: number): void => {
    if (count < next) return;
    process.stderr.write(`${count} records\n`);
    next += progressEvery;
  };
  const report =
    'journal' in source
      ? await verifyJournal(source.journal, { onProgress, heads })
      : await withPool(source.database, (pool) =>
          verifyDatabase(pool, { onProgress, heads, ...(key && { key }) }),
        );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}
