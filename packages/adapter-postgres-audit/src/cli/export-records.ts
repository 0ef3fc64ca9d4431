import { once } from 'node:events';
import { type AuditRecord, canonical, toCloudEvent, toOcsf } from '@agent-killswitch/core';
import { postgresAudit } from '../postgres-audit.ts';
import type { ExportCommand } from './arguments.ts';
import { withPool } from './with-pool.ts';

const forms: Record<ExportCommand['format'], (record: AuditRecord) => string> = {
  jsonl: canonical,
  cloudevents: (record) => JSON.stringify(toCloudEvent(record)),
  ocsf: (record) => JSON.stringify(toOcsf(record)),
};

/** Writes a record a line to stdout. Returns the exit code. */
export async function exportRecords({ database, format, chain }: ExportCommand): Promise<number> {
  const form = forms[format];
  await withPool(database, async (pool) => {
    const sink = postgresAudit(pool, { readMs: 30_000 });
    for await (const record of sink.read(chain === undefined ? {} : { partition: chain })) {
      if (!process.stdout.write(`${form(record)}\n`)) await once(process.stdout, 'drain');
    }
  });
  return 0;
}
