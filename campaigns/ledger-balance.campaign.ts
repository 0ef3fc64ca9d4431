import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { grants, migrate, postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { verifyChain } from '@agent-killswitch/core';
import { Pool } from 'pg';
import { OwnPostgres } from '../test/support/own-postgres.ts';
import type { Campaign } from './campaign.ts';
import { chainsOf, ledgerEvent } from './ledger/ledger-event.ts';
import { inflict, type LedgerFault, ledgerFaults, writerRole } from './ledger/ledger-faults.ts';
import { Writing } from './ledger/writing.ts';
import { SeededRandom } from './seeded-random.ts';

/** The seed decides what is written and what is done to whom; how far the writer had come by then is up to the machine. */
const campaign: Campaign = {
  name: 'ledger-balance',
  summary: 'Postgres and the writer fail at random points: every event on record once, in order (I4)',
  defaultRounds: 300,
  testRounds: 5,

  async run({ rounds, seed, log }) {
    const random = new SeededRandom(seed);
    const violations: string[] = [];
    const faultsFired = Object.fromEntries(ledgerFaults.map((fault) => [fault, 0]));
    const server = await OwnPostgres.make();
    const pool = new Pool({ connectionString: server.url, max: 4, connectionTimeoutMillis: 10_000 });
    pool.on('error', () => {});
    try {
      await migrate(pool);
      await pool.query(`CREATE ROLE ${writerRole} LOGIN PASSWORD 'w'; ${grants(writerRole)}`);
      for (let round = 0; round < rounds; round++) {
        const first = ledgerFaults[round % ledgerFaults.length] as LedgerFault;
        const faults = [first, ...(random.chance(0.5) ? [random.pick(ledgerFaults)] : [])];
        const broken = (what: string) =>
          violations.push(`seed ${seed} round ${round} (${faults.join(', ')}): ${what}`);
        await play(server, pool, round, faults, random.fork()).then(
          (found) => found.forEach(broken),
          (error: unknown) => broken(`${error}`),
        );
        for (const fault of faults) faultsFired[fault] = (faultsFired[fault] ?? 0) + 1;
        if ((round + 1) % 10 === 0) log(`round ${round + 1}: ${violations.length} violations`);
      }
    } finally {
      await server.thaw();
      await pool.end();
      await server.end();
    }
    return { violations, faultsFired };
  },
};
export default campaign;

async function play(
  server: OwnPostgres,
  pool: Pool,
  round: number,
  faults: readonly LedgerFault[],
  random: SeededRandom,
): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'ledger-balance-'));
  const total = random.integer(100, 600);
  const url = Object.assign(new URL(server.url), { username: writerRole, password: 'w' });
  const writing = new Writing(url.href, directory, round, total, random.integer(0, 1_000_000));
  try {
    writing.start();
    // A process takes a while to start; some faults hit before it writes.
    await pause(random.integer(200, 1_400));
    const stage = { server, query: (sql: string) => pool.query(sql), killWriter: () => writing.kill() };
    for (const fault of faults) {
      await inflict(fault, stage, random);
      await pause(random.integer(0, 300));
    }
    await writing.end();
    const left = (await readdir(directory)).filter((file) => file.endsWith('.jsonl'));
    const faultsFound = await imbalance(pool, round, total);
    return left.length === 1 ? faultsFound : [...faultsFound, `${left.length} files are left of the journal`];
  } finally {
    writing.abort();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What differs between what was told and what is on record. */
async function imbalance(pool: Pool, round: number, total: number): Promise<string[]> {
  const sink = postgresAudit(pool);
  const found: string[] = [];
  const expected = Array.from({ length: total }, (_, n) => ledgerEvent(round, n));
  for (const partition of chainsOf(round)) {
    const ids: string[] = [];
    for await (const { event } of sink.read({ partition })) ids.push(event.id);
    const ofChain = expected.filter(({ workspaceId }) => workspaceId === partition).map(({ id }) => id);
    const lost = ofChain.filter((id) => !ids.includes(id)).length;
    const duplicated = ids.length - new Set(ids).size;
    if (lost > 0) found.push(`${partition}: ${lost} lost of ${ofChain.length}`);
    if (duplicated > 0) found.push(`${partition}: ${duplicated} duplicated`);
    if (lost + duplicated === 0 && ids.join() !== ofChain.join()) found.push(`${partition}: out of order`);
    const report = await verifyChain(sink.read({ partition }));
    if (!report.ok) found.push(`${partition}: ${report.fault} at ${report.at.seq}`);
  }
  return found;
}
