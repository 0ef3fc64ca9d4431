import { once } from 'node:events';
import { readJournal } from '@agent-killswitch/adapter-file-audit';
import { postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { type AuditRecord, canonical, toCloudEvent, toOcsf } from '@agent-killswitch/core';
import type { ExportCommand } from './arguments.ts';
import { withPool } from './with-pool.ts';

const forms: Record<ExportCommand['format'], (record: AuditRecord) => string> = {
  jsonl: canonical,
  cloudevents: (record) => JSON.stringify(toCloudEvent(record)),
  ocsf: (record) => JSON.stringify(toOcsf(record)),
};

/** Writes a record a line to stdout. Returns the exit code. */
export async function exportRecords({ source, format, chain }: ExportCommand): Promise<number> {
  const form = forms[format];
  const write = async (records: AsyncIterable<AuditRecord>): Promise<void> => {
    for await (const record of records)
      if (!process.stdout.write(`${form(record)}\n`)) await once(process.stdout, 'drain');
  };
  if ('journal' in source) {
    await write(readJournal(source.journal, chain === undefined ? {} : { writer: chain }));
  } else {
    await withPool(source.database, (pool) => {
      const sink = postgresAudit(pool, { readMs: 30_000 });
      return write(sink.read(chain === undefined ? {} : { partition: chain }));
    });
  }
  return 0;
}
