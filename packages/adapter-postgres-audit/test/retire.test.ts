/**
 * Months that are detached: the chains go on, and only who has the key can have done it.
 * @services postgres
 */
import { generateKeyPairSync } from 'node:crypto';
import { sampleEvent } from '@agent-killswitch/conformance';
import type { AuditEvent } from '@agent-killswitch/core';
import { type Pool, types } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { migrate, type PostgresAudit, postgresAudit, retire, verifyDatabase } from '../src/index.ts';
import { makeDatabase, recordsOf, type TestDatabase } from './support/database.ts';

const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
const cut = new Date('2020-03-01T00:00:00Z');
const event = (n: number, workspaceId: string): AuditEvent => sampleEvent(n, { workspaceId });

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let pool: Pool;
  let sink: PostgresAudit;

  beforeEach(async () => {
    database = await makeDatabase(server);
    pool = database.pool();
    sink = postgresAudit(pool);
    await sink.append([event(0, 'a'), event(1, 'b'), event(2, 'a'), event(3, 'idle')]);
    await asOf2020();
    await sink.append([event(4, 'a'), event(5, 'b'), event(6, 'c')]);
  });
  afterEach(() => database.drop());

  /** Makes what is on record one of February 2020: the month that is written to becomes that month's table. */
  async function asOf2020(): Promise<void> {
    const { rows } = await pool.query(
      'SELECT DISTINCT tableoid::regclass::text AS name FROM killswitch_audit.records',
    );
    const name: string = rows[0].name;
    await pool.query(`ALTER TABLE killswitch_audit.records DETACH PARTITION ${name}`);
    await pool.query(`ALTER TABLE ${name} DISABLE TRIGGER ALL; UPDATE ${name} SET stored_at = '2020-02-10'`);
    await pool.query(`ALTER TABLE ${name} RENAME TO records_2020_02`);
    await pool.query(`ALTER TABLE killswitch_audit.records ATTACH PARTITION killswitch_audit.records_2020_02
      FOR VALUES FROM ('2020-02-01Z') TO ('2020-03-01Z')`);
    await migrate(pool);
  }

  it('signs the same whatever the process has its driver make of a bigint', async () => {
    for (const parser of [Number, BigInt]) {
      const getTypeParser = ((oid: number, format?: 'text') =>
        oid === types.builtins.INT8
          ? parser
          : types.getTypeParser(oid, format)) as typeof types.getTypeParser;
      const odd = database.pool({ types: { getTypeParser } });
      if (parser === Number) await retire(odd, { before: cut, privateKey });
      expect(await verifyDatabase(odd, { key })).toMatchObject({ ok: true, count: 3 });
      const page = await postgresAudit(odd).readByTime({ workspaceId: 'a', limit: 1 });
      expect(page.records.map(({ seq }) => seq)).toEqual([2]);
    }
    expect(await verifyDatabase(pool, { key })).toMatchObject({ ok: true, count: 3 });
    const next = generateKeyPairSync('ed25519').publicKey;
    expect(await verifyDatabase(pool, { key: next })).toMatchObject({ ok: false, fault: 'break' });
    expect(await verifyDatabase(pool, { key: [next, key] })).toMatchObject({ ok: true, count: 3 });
  });

  it('detaches whole months, goes on where the chains were, and forgets no event id', async () => {
    const heads = await sink.heads();
    expect(await retire(pool, { before: new Date('2020-02-28'), privateKey })).toEqual([]);
    expect(await retire(pool, { before: cut, privateKey })).toEqual(['records_2020_02']);
    expect(await retire(pool, { before: cut, privateKey })).toEqual([]);
    expect((await recordsOf(sink)).map(({ event: { id } }) => Number(id))).toEqual([4, 5, 6]);
    expect((await pool.query('SELECT FROM killswitch_audit.records_2020_02')).rowCount).toBe(4);
    const sorted = (all: readonly { partition: string }[]) =>
      all.toSorted((x, y) => (x.partition < y.partition ? -1 : 1));
    expect(sorted(await sink.heads())).toEqual(sorted(heads));
    await sink.append([event(0, 'a'), event(7, 'idle'), event(8, 'a')]);
    expect((await recordsOf(sink, { partition: 'idle' })).map(({ seq }) => seq)).toEqual([1]);
    expect((await recordsOf(sink, { partition: 'a' })).map(({ seq }) => seq)).toEqual([2, 3]);
    const after = { partition: 'a', seq: 0 };
    expect((await recordsOf(sink, { after })).map(({ event: { id } }) => Number(id))).toEqual([
      4, 5, 6, 7, 8,
    ]);
    expect(await verifyDatabase(pool, { key, heads })).toMatchObject({ ok: true, count: 5 });
  });

  it('a break that nobody with the key has signed is a fault', async () => {
    await retire(pool, { before: cut, privateKey });
    const fault = { ok: false, fault: 'break', at: { partition: 'a', seq: 1 } };
    expect(await verifyDatabase(pool)).toEqual(fault);
    const other = generateKeyPairSync('ed25519').publicKey;
    expect(await verifyDatabase(pool, { key: other })).toEqual(fault);
    expect(await verifyDatabase(pool, { key })).toMatchObject({ ok: true });
    await pool.query('ALTER TABLE killswitch_audit.breaks DISABLE TRIGGER ALL');
    await pool.query(`UPDATE killswitch_audit.breaks SET seq = 2, hash = (SELECT hash FROM killswitch_audit.records
      WHERE chain = 'a' AND seq = 2) WHERE chain = 'a'`);
    expect(await verifyDatabase(pool, { key })).toMatchObject({ fault: 'break' });
    await pool.query(`DELETE FROM killswitch_audit.breaks WHERE chain = 'a'`);
    expect(await verifyDatabase(pool, { key })).toMatchObject({
      fault: 'sequence',
      at: { partition: 'a', seq: 2 },
    });
  });

  it('leaves all as it was where it cannot be done', async () => {
    const writer = database.pool({ max: 1 });
    const client = await writer.connect();
    await client.query('BEGIN; SELECT FROM killswitch_audit.records');
    await expect(retire(pool, { before: cut, privateKey, deadlineMs: 300 })).rejects.toMatchObject({
      code: 'postgres-unavailable',
    });
    await client.query('ROLLBACK');
    client.release();
    expect(await recordsOf(sink)).toHaveLength(7);
    expect(await verifyDatabase(pool)).toMatchObject({ ok: true, count: 7 });
  });
});
