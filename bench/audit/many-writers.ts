import { type PostgresAudit, postgresAudit, verifyDatabase } from '@agent-killswitch/adapter-postgres-audit';
import type { Pool } from 'pg';
import { killedEvent } from '../../test/support/audit-events.ts';
import { median } from '../compare.ts';
import type { Report } from '../report.ts';
import { appendFor } from './append-for.ts';
import type { BareTable } from './bare-table.ts';
import { WriterProcesses } from './writer-processes.ts';

const writers = 64;
const chains = 16;
const processes = 16;
const rounds = 3;
const ms = 3_000;

/**
 * Appends a second, one event each: what 64 writers bring over 16 chains, and what one chain brings on which one event is
 * added after the other, as the plainest program would do it and as the sink does (docs/decisions/018). What 64 writers bring
 * over one chain, and processes instead of promises, is reported without a limit.
 */
export async function manyWriters(pool: Pool, url: string, bare: BareTable, report: Report): Promise<void> {
  const sink = postgresAudit(pool);
  const others = await WriterProcesses.make(url, processes);
  try {
    const rates = await ratesOf(sink, others, bare);
    const value = median(rates.many);
    const figure = { value, unit: 'appends/s', n: Math.round((value * rounds * ms) / 1_000) };
    const limit = { limit: 3, direction: 'atLeast' } as const;
    report({ metric: 'audit.writers', ...figure, baseline: median(rates.bare), ...limit });
    report({ metric: 'audit.writers.one-by-one', ...figure, baseline: median(rates.single), ...limit });
    report({ metric: 'audit.writers.one-chain', ...figure, baseline: median(rates.one) });
    report({
      ...{ metric: 'audit.writers.processes', ...figure },
      ...{ value: median(rates.apart), baseline: median(rates.apartOnOne) },
    });
    const found = await verifyDatabase(pool);
    const { rows } = await pool.query(
      `SELECT count(*)::int AS count FROM killswitch_audit.records WHERE chain LIKE 'of-%'`,
    );
    const lost = found.ok ? Math.abs(rows[0].count - rates.appended) : rates.appended;
    report({ metric: 'audit.writers.faults', value: lost, unit: 'records', limit: 0, n: rates.appended });
  } finally {
    others.end();
  }
}

/** All of them in turns, so that a machine that slows down slows all. The first turn is not counted. */
async function ratesOf(sink: PostgresAudit, others: WriterProcesses, bare: BareTable) {
  let appended = 0;
  let first = 1_000_000_000;
  const rateOf = async (work: () => Promise<number>): Promise<number> => {
    const since = performance.now();
    const done = await work();
    return (done / (performance.now() - since)) * 1_000;
  };
  const own = (count: number, over: number) =>
    rateOf(async () => {
      const done = await appendFor(sink, { first, writers: count, over, ms });
      first += 1_000_000;
      appended += done;
      return done;
    });
  const apart = (over: number) =>
    rateOf(async () => {
      const done = await others.append({ first, writers: writers / processes, over, ms });
      first += processes * 1_000_000;
      appended += done;
      return done;
    });
  const plain = () =>
    rateOf(async () => {
      let done = 0;
      for (const until = performance.now() + ms; performance.now() < until; done += 1)
        await bare.chain({ ...killedEvent(first++), workspaceId: 'bare' });
      return done;
    });
  const rates = { many: [], bare: [], single: [], one: [], apart: [], apartOnOne: [] } as Record<
    'many' | 'bare' | 'single' | 'one' | 'apart' | 'apartOnOne',
    number[]
  >;
  for (let round = 0; round <= rounds; round += 1) {
    const turn = {
      many: await own(writers, chains),
      bare: await plain(),
      single: await own(1, 1),
      one: await own(writers, 1),
      apart: await apart(chains),
      apartOnOne: await apart(1),
    };
    if (round === 0) continue;
    for (const [name, rate] of Object.entries(turn)) rates[name as keyof typeof turn].push(rate);
  }
  return { ...rates, appended };
}
