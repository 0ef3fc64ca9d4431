import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { verifyJournal } from '@agent-killswitch/adapter-file-audit';
import { readCheckpoints, verifyDatabase } from '@agent-killswitch/adapter-postgres-audit';
import { UsageError, type VerifyCommand } from './arguments.ts';
import { withPool } from './with-pool.ts';

const progressEvery = 100_000;

/** Says on stdout, in one line of JSON, what verification finds. Returns the exit code. */
export async function verifyRecord({ source, keys: files, checkpoints }: VerifyCommand): Promise<number> {
  const key = await Promise.all(files.map(readKey));
  const heads = checkpoints === undefined ? [] : await readCheckpoints(checkpoints, key);
  let next = progressEvery;
  const onProgress = (count: number): void => {
    if (count < next) return;
    process.stderr.write(`${count} records\n`);
    next += progressEvery;
  };
  const report =
    'journal' in source
      ? await verifyJournal(source.journal, { onProgress, heads })
      : await withPool(source.database, (pool) => verifyDatabase(pool, { onProgress, heads, key }));
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}

/** @throws UsageError for a file without one */
async function readKey(path: string): Promise<KeyObject> {
  const pem = await readFile(path);
  try {
    return createPublicKey(pem);
  } catch {
    throw new UsageError(`--key ${path}: there is no public key in it`);
  }
}
