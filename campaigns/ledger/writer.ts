/**
 * A host as far as the audit record goes: `node writer.ts <database url> <journal folder> <round> <from> <to> <seed>`.
 * Tells events `from` to `to` in order, in batches of chance, through a journal to Postgres; says `ack <n>` when the
 * first n are durable and `delivered` when Postgres has all, and ends.
 */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileJournal, journaled } from '@agent-killswitch/adapter-file-audit';
import { postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { Pool } from 'pg';
import { SeededRandom } from '../seeded-random.ts';
import { ledgerEvent } from './ledger-event.ts';

const [url = '', directory = '', round = '', from = '', to = '', seed = ''] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 300 });
pool.on('error', () => {});
const sink = postgresAudit(pool, { appendMs: 500, readMs: 500 });
const audit = journaled(sink, fileJournal(directory), { maxFileEvents: 100, onNews: () => {} });

for (let n = Number(from); n < Number(to); ) {
  const count = Math.min(random.integer(1, 20), Number(to) - n);
  await audit.append(Array.from({ length: count }, (_, index) => ledgerEvent(Number(round), n + index)));
  n += count;
  writeSync(1, `ack ${n}\n`);
  await pause(random.integer(0, 12));
}
if (!(await audit.delivered(60_000))) throw new Error('not delivered within a minute');
writeSync(1, 'delivered\n');
await audit.close();
await pool.end();
