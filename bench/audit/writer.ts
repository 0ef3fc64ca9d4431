/**
 * Writers in a process of their own, told where by their first argument. For each `Writing` that it is sent it answers with
 * how many events were appended. Ended by a signal.
 */
import { postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { Pool } from 'pg';
import { appendFor, type Writing } from './append-for.ts';

const pool = new Pool({ connectionString: process.argv[2], max: 4 });
pool.on('error', () => {});
const sink = postgresAudit(pool, { appendMs: 60_000 });
process.on('message', (writing: Writing) => {
  void appendFor(sink, writing).then((appended) => process.send?.(appended));
});
await sink.open();
process.send?.('ready');
