import { join } from 'node:path';
import { type FileJournalOptions, fileJournal, journaled } from '@agent-killswitch/adapter-file-audit';
import { migrate, postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { type AuditSink, describeError } from '@agent-killswitch/core';
import { Pool, type PoolConfig } from 'pg';
import type { ServerConfig } from './config.ts';

/** How long the end of the server waits for a database that does not answer. */
const endMs = 2_000;

/** Where the server's audit record is. */
export interface ServerAudit {
  readonly sink: AuditSink;
  /** What is not delivered yet by then is delivered by the next server on this folder. */
  close(): Promise<void>;
}

/** A journal in the server's folder, and behind it Postgres, if there is any: nobody waits for that, not even the start. */
export async function auditOf({ stateDir, database }: ServerConfig): Promise<ServerAudit> {
  const options: FileJournalOptions = {
    onRepair: (repair) => console.error(`Journal repaired after a crash: ${JSON.stringify(repair)}`),
  };
  const journal = fileJournal(join(stateDir, 'journal'), options);
  if (database === undefined) {
    await journal.open();
    return { sink: journal, close: () => journal.close() };
  }
  const pool = poolOf({ connectionString: database.url, max: 4 });
  const sink = journaled(postgresAudit(pool), journal);
  const close = async (): Promise<void> => {
    await sink.close();
    await ended(pool);
  };
  try {
    if (database.ownerUrl !== undefined) await makeTables(database.ownerUrl);
    await sink.open();
  } catch (error) {
    await close();
    throw error;
  }
  return { sink, close };
}

/** A server whose database is away starts all the same. */
async function makeTables(connectionString: string): Promise<void> {
  const pool = poolOf({ connectionString, max: 1 });
  await migrate(pool, { deadlineMs: 10_000 }).catch((error: unknown) =>
    console.error(`The audit tables could not be made or looked at: ${describeError(error)}`),
  );
  await ended(pool);
}

function poolOf(config: PoolConfig): Pool {
  const pool = new Pool({ connectionTimeoutMillis: 2_000, application_name: 'reference-server', ...config });
  pool.on('error', ({ message }) => console.error(`Postgres: ${message}`));
  return pool;
}

/** A frozen database never says goodbye. */
async function ended(pool: Pool): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, endMs);
  });
  await Promise.race([pool.end(), late]).catch(() => undefined);
  clearTimeout(timer);
}
