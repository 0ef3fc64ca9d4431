import { hash } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { migrate, postgresAudit, verifyDatabase } from '@agent-killswitch/adapter-postgres-audit';
import { type AuditEvent, canonical, genesisHash } from '@agent-killswitch/core';
import { Pool } from 'pg';
import { killedEvent } from '../test/support/audit-events.ts';
import { OwnPostgres } from '../test/support/own-postgres.ts';
import { BareTable } from './audit/bare-table.ts';
import { fillRecord } from './audit/fill-record.ts';
import { manyWriters } from './audit/many-writers.ts';
import { median } from './compare.ts';
import type { Report } from './report.ts';
import { collectGarbage } from './support/collect-garbage.ts';

const batch = 1_000;
/** Rows that are verified, in a month of their own, besides those that the other figures leave. */
const verified = 1_000_000;

/**
 * The audit record in Postgres, on a server of its own with durable commits: what many writers bring, what the
 * chain costs over inserting the same rows, and what reading all of it back costs over hashing it.
 */
export default async function bench(report: Report): Promise<void> {
  const server = await OwnPostgres.make(['max_connections=150', 'max_wal_size=4GB', 'shared_buffers=256MB']);
  const pool = new Pool({ connectionString: server.url, max: 8 });
  pool.on('error', () => {});
  try {
    await migrate(pool);
    const bare = await BareTable.make(pool);
    await batched(pool, bare, report);
    await manyWriters(pool, server.url, bare, report);
    await verifying(pool, report);
  } finally {
    await pool.end();
    await server.end();
  }
}

let count = 0;
const nextEvent = (): AuditEvent => killedEvent(count++);
const nextBatch = (): AuditEvent[] => Array.from({ length: batch }, nextEvent);

/** Rows a second in batches, over bare inserts of such rows with the same columns and indexes, in turns. */
async function batched(pool: Pool, bare: BareTable, report: Report): Promise<void> {
  const sink = postgresAudit(pool);
  const rates: { own: number[]; bare: number[] } = { own: [], bare: [] };
  const rounds = 22;
  for (let round = 0; round < rounds; round += 1) {
    const [own, plain] = [nextBatch(), nextBatch()];
    const ownRate = (batch / (await timed(() => sink.append(own)))) * 1_000;
    const bareRate = (batch / (await timed(() => bare.insert(plain)))) * 1_000;
    if (round < 2) continue;
    rates.own.push(ownRate);
    rates.bare.push(bareRate);
  }
  const figure = { value: median(rates.own), baseline: median(rates.bare), unit: 'rows/s' };
  report({ metric: 'audit.batched', ...figure, limit: 0.6, direction: 'atLeast', n: batch * (rounds - 2) });
}

/** Records a second that are read back and checked, over hashing their texts on a chain, and the memory that it takes. */
async function verifying(pool: Pool, report: Report): Promise<void> {
  await fillRecord(pool, verified);
  await pool.query('VACUUM ANALYZE killswitch_audit.records');
  let hashed = 0;
  const texts = Array.from({ length: 20_000 }, (_, n) => canonical(killedEvent(n)));
  const hashAll = (): void => {
    let prev = genesisHash;
    for (const text of texts) prev = hash('sha256', `workspace\n${hashed++}\n${prev}\n${text}`, 'hex');
  };
  const hashedPerSecond = async (): Promise<number> =>
    (texts.length / (await timed(async () => hashAll()))) * 1_000;
  hashAll();
  const own: number[] = [];
  const bare: number[] = [];
  let total = 0;
  for (let round = 0; round < 3; round += 1) {
    const took = await timed(async () => {
      const found = await verifyDatabase(pool);
      if (!found.ok) throw new Error(`a clean record is accused: ${found.fault}`);
      total = found.count;
    });
    own.push((total / took) * 1_000);
    bare.push(median([await hashedPerSecond(), await hashedPerSecond(), await hashedPerSecond()]));
  }
  const figure = { value: median(own), baseline: median(bare), unit: 'records/s' };
  report({ metric: 'audit.verify', ...figure, limit: 0.5, direction: 'atLeast', n: total });
  const { inUse, resident, delay } = await burdenOf(pool);
  report({ metric: 'audit.verify.memory', value: inUse, unit: 'MB', limit: 20, n: total });
  report({ metric: 'audit.verify.rss', value: resident, unit: 'MB', limit: 50, n: total });
  report({ metric: 'audit.verify.loop-delay', value: delay, unit: 'ms', limit: 50, n: total });
}

/**
 * What verifying all costs its process: by how much what is in use, waste collected, grows at the most; by how much the
 * process grows from the first tenth on; and, at the 99th percentile, how late the process gets to anything else.
 */
async function burdenOf(pool: Pool): Promise<{ inUse: number; resident: number; delay: number }> {
  const nowInUse = (): number => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 2 ** 20;
  };
  const before = nowInUse();
  let most = before;
  let pages = 0;
  // A pass of its own, since collecting takes time: what is in use on the way, without what is waste already.
  await verifyDatabase(pool, {
    onProgress: () => {
      pages += 1;
      if (pages % 20 === 0) most = Math.max(most, nowInUse());
    },
  });
  let early = 0;
  let late = 0;
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  await verifyDatabase(pool, {
    onProgress: (count) => {
      const resident = process.memoryUsage.rss() / 2 ** 20;
      if (count < verified / 10) early = Math.max(early, resident);
      else late = Math.max(late, resident);
    },
  });
  loop.disable();
  return { inUse: most - before, resident: late - early, delay: loop.percentile(99) / 1e6 };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}
