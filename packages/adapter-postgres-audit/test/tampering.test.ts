/**
 * What somebody could do who is superuser of the database: every change is found, at the right record, and no clean
 * record is accused (I4).
 * @services postgres
 */
import { sampleEvent } from '@agent-killswitch/conformance';
import { type AuditEvent, chain, type PartitionHead } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SeededRandom } from '../../../campaigns/seeded-random.ts';
import { withService } from '../../../test/support/with-service.ts';
import { columnsOf } from '../src/columns.ts';
import { type DatabaseReport, postgresAudit, verifyDatabase } from '../src/index.ts';
import { makeDatabase, type TestDatabase } from './support/database.ts';

const seed = 20_261_121;
const rounds = Number(process.env.TAMPERING_ROUNDS ?? 120);
const chains = ['a', 'b'] as const;
const length = 12;

interface Change {
  /** SQL that makes the change; `x` is the chain and `n` the seq it is aimed at. */
  readonly sql: string;
  /** The chain and seq of the record that has to be named. */
  readonly at: { readonly partition: string; readonly seq: number };
}

const other = (x: string): string => (x === 'a' ? 'b' : 'a');
const where = (x: string, n: number): string => `WHERE chain = '${x}' AND seq = ${n}`;
const records = 'killswitch_audit.records';

/** Columns that are not what the chain consists of, and a value of each that it never has. */
const columns: Readonly<Record<string, string>> = {
  event_id: `event_id || 'x'`,
  type: `'order.joined'`,
  event_time: `event_time + interval '1 millisecond'`,
  host_id: `'elsewhere'`,
  workspace_id: 'NULL',
  order_id: `'another'`,
  task_id: 'NULL',
  agent_id: `'someone'`,
  session_ids: `'{s}'`,
  owner_id: `'nobody'`,
  backend_id: `'nowhere'`,
  principal_id: `'scapegoat'`,
  principal_kind: `'service'`,
  reason: `reason || '.'`,
  status_before: `'running'`,
  outcome: `'settled'`,
  policy_version: 'NULL',
};

const changes: Readonly<Record<string, (random: SeededRandom, x: string, n: number) => Change>> = {
  'flip event': (_, x, n) => ({
    sql: `UPDATE ${records} SET event = replace(event::text, 'reason ', 'Reason ')::json ${where(x, n)}`,
    at: { partition: x, seq: n },
  }),
  'white space in event': (_, x, n) => ({
    sql: `UPDATE ${records} SET event = replace(event::text, ',"id"', ', "id"')::json ${where(x, n)}`,
    at: { partition: x, seq: n },
  }),
  'flip hash': (_, x, n) => ({
    sql: `UPDATE ${records} SET hash = translate(hash, '0123456789abcdef', '123456789abcdef0') ${where(x, n)}`,
    at: { partition: x, seq: n },
  }),
  'flip prev': (_, x, n) => ({
    sql: `UPDATE ${records} SET prev = repeat('f', 64) ${where(x, n)}`,
    at: { partition: x, seq: n },
  }),
  'flip column': (random, x, n) => {
    const [name, value] = random.pick(Object.entries(columns));
    return { sql: `UPDATE ${records} SET ${name} = ${value} ${where(x, n)}`, at: { partition: x, seq: n } };
  },
  'go back in time': (_, x, n) => ({
    sql: `UPDATE ${records} SET stored_at = stored_at - interval '1 hour' ${where(x, Math.max(n, 1))}`,
    at: { partition: x, seq: Math.max(n, 1) },
  }),
  renumber: (_, x, n) => ({
    sql: `UPDATE ${records} SET seq = 1000 ${where(x, n)}`,
    at: { partition: x, seq: n === length - 1 ? 1000 : n + 1 },
  }),
  delete: (_, x, n) => ({
    sql: `DELETE FROM ${records} ${where(x, n)}`,
    at: { partition: x, seq: n === length - 1 ? n : n + 1 },
  }),
  'truncate the tail': (_, x, n) => ({
    sql: `DELETE FROM ${records} WHERE chain = '${x}' AND seq >= ${n}`,
    at: { partition: x, seq: n },
  }),
  reorder: (_, x, n) => {
    const m = (n + 1) % length;
    return {
      sql: `UPDATE ${records} SET seq = -seq - 1 WHERE chain = '${x}' AND seq IN (${n}, ${m});
            UPDATE ${records} SET seq = CASE seq WHEN ${-n - 1} THEN ${m} ELSE ${n} END WHERE chain = '${x}' AND seq < 0`,
      at: { partition: x, seq: Math.min(n, m) },
    };
  },
  'duplicate at the end': (_, x, n) => ({
    sql: `INSERT INTO ${records} SELECT (r #= hstore(ARRAY['seq', '${length}', 'position', '99999'])).* FROM ${records} r ${where(x, n)}`,
    at: { partition: x, seq: length },
  }),
  insert: (_, x, n) => ({
    sql: `UPDATE ${records} SET seq = seq + 1000 WHERE chain = '${x}' AND seq >= ${n};
          UPDATE ${records} SET seq = seq - 999 WHERE chain = '${x}' AND seq >= 1000;
          INSERT INTO ${records} SELECT (r #= hstore(ARRAY['seq', '${n}', 'event_id', 'new', 'position', '99999'])).* FROM ${records} r ${where(x, n === 0 ? 1 : n - 1)}`,
    at: { partition: x, seq: n },
  }),
  relabel: (_, x, n) => ({
    sql: `UPDATE ${records} SET chain = '${other(x)}x' ${where(x, n)}`,
    at:
      x === 'a' && n < length - 1
        ? { partition: x, seq: n + 1 }
        : x === 'a'
          ? { partition: 'a', seq: n }
          : { partition: 'ax', seq: n },
  }),
  splice: (_, x, n) => ({
    sql: `DELETE FROM ${records} WHERE chain = '${x}' AND seq >= ${n};
          UPDATE ${records} SET chain = '${x}' WHERE chain = '${other(x)}' AND seq >= ${n}`,
    at: { partition: 'a', seq: n },
  }),
};

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let pool: Pool;
  let heads: readonly PartitionHead[];
  const events = chains.map((workspaceId) =>
    Array.from({ length }, (_, n) => sampleEvent(n, { id: `${workspaceId}-${n}`, workspaceId })),
  );

  beforeAll(async () => {
    database = await makeDatabase(server);
    pool = database.pool();
    const sink = postgresAudit(pool);
    for (let n = 0; n < length; n += 1) await sink.append(events.map((own) => own[n] as AuditEvent));
    heads = await sink.heads();
    await pool.query('CREATE EXTENSION hstore');
    // What a superuser does first.
    await pool.query(`ALTER TABLE ${records} DISABLE TRIGGER ALL`);
    const { rows } = await pool.query(
      `SELECT inhrelid::regclass AS name FROM pg_inherits WHERE inhparent = '${records}'::regclass`,
    );
    for (const { name } of rows) {
      await pool.query(`ALTER TABLE ${name} DISABLE TRIGGER ALL`);
      const { rows: found } = await pool.query(
        `SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = '${name}'::regclass AND indisunique AND NOT indisprimary`,
      );
      for (const { index } of found) await pool.query(`DROP INDEX ${index}`);
      await pool.query(`ALTER TABLE ${name} DROP CONSTRAINT IF EXISTS records_seq_check`).catch(() => {});
    }
    await pool.query(`ALTER TABLE ${records} DROP CONSTRAINT records_seq_check`).catch(() => {});
  });
  afterAll(() => database.drop());

  /** What verification says of the record with the change, which is then undone. */
  async function changed(sql: string): Promise<DatabaseReport> {
    const client = await pool.connect();
    // What verifies gets the one connection that sees the change.
    const { release } = client;
    client.release = () => {};
    try {
      await client.query(`BEGIN; ${sql}`);
      const onlyThis = { connect: async () => client } as unknown as Pool;
      return await verifyDatabase(onlyThis, { heads });
    } finally {
      client.release = release;
      await client.query('ROLLBACK');
      client.release();
    }
  }

  it(`finds each of ${rounds} changes at its record, and accuses no clean record between them`, async () => {
    const random = new SeededRandom(seed);
    const kinds = Object.keys(changes);
    const wrong: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const kind = kinds[round % kinds.length] as string;
      const change = changes[kind]?.(random, random.pick(chains), random.integer(0, length));
      if (change === undefined) throw new Error(kind);
      const clean = await verifyDatabase(pool, { heads });
      if (!clean.ok) wrong.push(`round ${round}: a clean record is accused: ${JSON.stringify(clean)}`);
      const found = await changed(change.sql);
      const place = found.ok ? undefined : { partition: found.at.partition, seq: found.at.seq };
      if (JSON.stringify(place) !== JSON.stringify(change.at))
        wrong.push(`round ${round} ${kind} ${JSON.stringify(change)}: ${JSON.stringify(found)}`);
    }
    expect(wrong).toEqual([]);
  }, 600_000);

  it.each([0, 5, length - 1])(
    'finds a chain made anew from %i on, by its head kept elsewhere',
    async (from) => {
      const forged: string[] = [];
      let last = from === 0 ? undefined : await recordAt('a', from - 1);
      for (let n = from; n < length; n += 1) {
        const event = {
          ...(events[0]?.[n] as AuditEvent),
          hostId: n === from ? 'innocent' : 'host',
        } as AuditEvent;
        const record = chain(last, 'a', event);
        forged.push(
          `UPDATE ${records} SET prev = '${record.prev}', hash = '${record.hash}', host_id = '${columnsOf(event).host_id}',
         event = replace(event::text, '"hostId":"host"', '"hostId":"${event.hostId}"')::json ${where('a', n)}`,
        );
        last = record;
      }
      expect(await changed(forged.join(';'))).toEqual({
        ok: false,
        at: { partition: 'a', seq: length - 1, eventId: `a-${length - 1}` },
        fault: 'head',
      });
    },
  );

  it.each([
    ['event_time', `'infinity'`, 'column'],
    ['event_time', `'-infinity'`, 'column'],
    ['event_time', `'294276-12-31'`, 'column'],
    ['stored_at', `'-infinity'`, 'order'],
    ['stored_at', `'infinity'`, 'order'],
  ])('finds a time that is none: %s = %s', async (column, value, fault) => {
    for (const seq of [0, 3])
      expect(await changed(`UPDATE ${records} SET ${column} = ${value} ${where('a', seq)}`)).toMatchObject({
        ok: false,
        at: { partition: 'a', seq },
        fault,
      });
  });

  it('finds a chain that is gone altogether', async () => {
    const gone = { ok: false, at: { partition: 'b', seq: 0 }, fault: 'truncated' };
    expect(await changed(`DELETE FROM ${records} WHERE chain = 'b'`)).toEqual(gone);
  });

  it('tells where each chain ends, and how far it is', async () => {
    const told: number[] = [];
    const report = await verifyDatabase(pool, { onProgress: (count) => told.push(count) });
    expect(report).toMatchObject({ ok: true, count: 2 * length, heads });
    expect(told.at(-1)).toBe(2 * length);
  });

  async function recordAt(partition: string, seq: number) {
    const { rows } = await pool.query(`SELECT hash FROM ${records} WHERE chain = $1 AND seq = $2`, [
      partition,
      seq,
    ]);
    return { seq, hash: rows[0].hash as string };
  }
});
