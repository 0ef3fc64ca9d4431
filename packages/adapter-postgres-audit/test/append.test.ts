/**
 * What is put on record: odd and huge events, and many writers at once.
 * @services postgres
 */
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import { type AuditEvent, canonical, chain, verifyChain } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { appendRows } from '../src/append.ts';
import { type PostgresAudit, postgresAudit } from '../src/index.ts';
import { rowsOf } from '../src/valid-events.ts';
import { makeDatabase, recordsOf, type TestDatabase } from './support/database.ts';

/** An event that is as long as this text. */
const withText = (n: number, policyVersion: string): AuditEvent => sampleEvent(n, { policyVersion });

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let pool: Pool;
  let sink: PostgresAudit;
  beforeEach(async () => {
    database = await makeDatabase(server);
    pool = database.pool({ max: 20 });
    sink = postgresAudit(pool);
  });
  afterEach(() => database.drop());

  it('keeps a record whole that a column cannot hold, and the column as near as it can', async () => {
    const reason = 'NUL \0 and a lone surrogate \ud800';
    await sink.append([sampleEvent(0, { reason })]);
    const { rows } = await pool.query('SELECT reason, event::text AS event FROM killswitch_audit.records');
    expect(rows).toEqual([
      { reason: 'NUL \ufffd and a lone surrogate \ufffd', event: canonical(sampleEvent(0, { reason })) },
    ]);
  });

  it('takes 10 MB, refuses over 16 MiB by name and whole, and takes more than one statement carries', async () => {
    const patient = postgresAudit(pool, { appendMs: 60_000, readMs: 60_000 });
    const huge = withText(0, 'é'.repeat(5_000_000));
    await patient.append([huge, ...sampleEvents(1, 3)]);
    const tooLong = withText(10, 'x'.repeat(16 * 1024 * 1024));
    await expect(patient.append([sampleEvent(9), tooLong])).rejects.toMatchObject({
      code: 'invalid-input',
      message: /audit event 1 of the batch: longer than/,
    });
    const many = Array.from({ length: 12 }, (_, n) => withText(20 + n, 'x'.repeat(1_500_000)));
    await patient.append([...many, ...sampleEvents(100, 5_000)]);
    const records = await recordsOf(patient);
    expect(records.map(({ event }) => event)).toEqual([
      huge,
      ...sampleEvents(1, 3),
      ...many,
      ...sampleEvents(100, 5_000),
    ]);
    expect(await verifyChain(records)).toMatchObject({ ok: true });
  });

  it('refuses what it could not read back, whole, and names the event', async () => {
    const newer = { ...sampleEvent(1), version: 2 } as unknown as AuditEvent;
    await expect(sink.append([sampleEvent(0), newer])).rejects.toThrow(/audit event 1 of the batch: version/);
    expect(await sink.heads()).toEqual([]);
  });

  it.each(['NUL \0', 'lone \ud800'])('refuses an id that it could not keep, for good: %j', async (id) => {
    await expect(sink.append([sampleEvent(0), { ...sampleEvent(1), id }])).rejects.toMatchObject({
      code: 'invalid-input',
      message: /audit event 1 of the batch: id/,
    });
    expect(await sink.heads()).toEqual([]);
  });

  it('what Postgres cannot store whatever the time is a refusal for good, not an outage', async () => {
    const workspaceId = 'w';
    await pool.query(
      'ALTER TABLE killswitch_audit.records ADD CHECK (length(reason) / (length(reason) - 8) < 9)',
    );
    await sink.append([sampleEvent(0, { workspaceId, reason: 'a long reason' })]);
    const odd = [sampleEvent(1, { workspaceId, reason: 'x'.repeat(8) })];
    await expect(sink.append(odd)).rejects.toMatchObject({
      code: 'invalid-input',
      message: /division by zero/,
    });
  });

  it('a writer that is stopped in the middle of a long batch does not keep its chains for good', async () => {
    await pool.query(
      "ALTER TABLE killswitch_audit.records ADD CHECK (current_setting('idle_in_transaction_session_timeout') = '5s')",
    );
    await sink.append(sampleEvents(0, 2_001));
    expect((await sink.heads())[0]?.seq).toBe(2_000);
  });

  it('never goes back in stored time on a chain, whatever the clock does', async () => {
    const ahead = chain(undefined, 'workspace', sampleEvent(0));
    await pool.query(
      `INSERT INTO killswitch_audit.records (position, chain, seq, prev, hash, stored_at, event, event_id, type, event_time, host_id)
       VALUES (0, 'workspace', 0, $1, $2, now() + interval '2 days', $3, 'first', 'order.requested', now(), 'host')`,
      [ahead.prev, ahead.hash, canonical(ahead.event)],
    );
    await sink.append(sampleEvents(1, 3));
    const { rows } = await pool.query(
      'SELECT bool_and(stored_at >= before) AS rises FROM (SELECT stored_at, lag(stored_at) OVER (ORDER BY seq) AS before FROM killswitch_audit.records) r',
    );
    expect(rows).toEqual([{ rises: true }]);
    expect(await verifyChain(await recordsOf(sink))).toMatchObject({ ok: true, count: 4 });
  });

  it('64 writers over 16 chains, repeating each other: no fork, no gap, nothing twice (I4)', async () => {
    const workspaces = Array.from({ length: 16 }, (_, n) => `w-${n}`);
    const told = Array.from({ length: 400 }, (_, n) => sampleEvent(n, { workspaceId: workspaces[n % 16] }));
    const writer = async (n: number): Promise<void> => {
      const own = postgresAudit(pool, { appendMs: 60_000 });
      // Each begins elsewhere and takes batches over several chains: whoever waited in a circle would never end.
      const order = [...told.slice((n * 37) % 400), ...told.slice(0, (n * 37) % 400)];
      for (let from = 0; from < 400; from += 20) await own.append(order.slice(from, from + 20).toReversed());
    };
    await Promise.all(Array.from({ length: 64 }, (_, n) => writer(n)));
    const records = await recordsOf(sink);
    expect(new Set(records.map(({ event }) => event.id)).size).toBe(400);
    expect(records).toHaveLength(400);
    const heads = await sink.heads();
    expect(heads.map(({ partition }) => partition)).toEqual(workspaces.toSorted());
    for (const head of heads) {
      const own = await recordsOf(sink, { partition: head.partition });
      expect(await verifyChain(own, { head })).toMatchObject({ ok: true, count: 25 });
    }
  }, 120_000);

  it('appends of one process that are made at once: in the order in which they were made, in a few statements (I4)', async () => {
    const events = Array.from({ length: 200 }, (_, n) => sampleEvent(n, { workspaceId: `w-${n % 3}` }));
    await Promise.all(events.map((event) => sink.append([event])));
    for (const workspaceId of ['w-0', 'w-1', 'w-2']) {
      const told = events.filter((event) => event.workspaceId === workspaceId);
      expect((await recordsOf(sink, { workspaceId })).map(({ event }) => event)).toEqual(told);
    }
    const { rows } = await pool.query(
      'SELECT count(DISTINCT xmin::text)::int AS statements FROM killswitch_audit.records',
    );
    expect(rows[0].statements).toBeLessThan(10);
  });

  it('a chain that somebody keeps locked holds up nobody else, and one bad event no other (I5)', async () => {
    await pool.query("ALTER TABLE killswitch_audit.records ADD CHECK (seq / length(trim(reason, 'x')) >= 0)");
    await sink.append([sampleEvent(0, { workspaceId: 'locked' })]);
    const holder = await pool.connect();
    await holder.query(
      `BEGIN; SELECT pg_advisory_xact_lock(hashtext('killswitch_audit chains'), (hashtextextended('locked', 0) & 511)::int)`,
    );
    const locked = sink.append([sampleEvent(1, { workspaceId: 'locked' })]).then(() => 'taken');
    const bad = sink.append([sampleEvent(2, { workspaceId: 'w-2', reason: 'xxx' })]);
    const others = Array.from({ length: 30 }, (_, n) =>
      sink.append([sampleEvent(10 + n, { workspaceId: `w-${n % 4}` })]),
    );
    await expect(bad).rejects.toMatchObject({ code: 'invalid-input', message: /division by zero/ });
    await Promise.all(others);
    expect(await Promise.race([locked, 'waiting'])).toBe('waiting');
    await holder.query('ROLLBACK');
    holder.release();
    expect(await locked).toBe('taken');
    expect(await verifyChain(await recordsOf(sink, { partition: 'w-2' }))).toMatchObject({
      ok: true,
      count: 7,
    });
  });

  it('a batch over very many chains does not take as many locks of the server', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    const events = Array.from({ length: 700 }, (_, n) => sampleEvent(n, { workspaceId: `w-${n}` }));
    await appendRows(client, rowsOf(events), { waitMs: 1_000, isReadCommitted: true });
    const { rows } = await client.query(
      "SELECT count(*)::int AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    );
    await client.query('COMMIT');
    client.release();
    expect(rows[0].locks).toBeLessThanOrEqual(512);
    expect(await sink.heads()).toHaveLength(700);
  });

  it('tells one event once even if two workspaces claim it', async () => {
    await sink.append([sampleEvent(0, { workspaceId: 'v' })]);
    await sink.append([sampleEvent(0, { workspaceId: 'w' }), sampleEvent(1, { workspaceId: 'w' })]);
    expect((await recordsOf(sink)).map(({ event, seq }) => [event.workspaceId, seq])).toEqual([
      ['v', 0],
      ['w', 0],
    ]);
  });

  it('is durable also where the session says otherwise', async () => {
    const lax = database.pool({ max: 1, options: '-c synchronous_commit=off' });
    await postgresAudit(lax).append([sampleEvent(0)]);
    const before = (
      await pool.query(
        'SELECT pg_current_wal_flush_lsn() AS flushed, pg_current_wal_insert_lsn() AS inserted',
      )
    ).rows[0];
    expect(before.flushed).toBe(before.inserted);
    expect((await lax.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
  });

  it('reads pages by an index, whatever is asked', async () => {
    await sink.append(
      Array.from({ length: 3_000 }, (_, n) =>
        sampleEvent(n, { workspaceId: `w-${n % 3}`, orderId: `o-${n % 500}` }),
      ),
    );
    await pool.query('ANALYZE killswitch_audit.records');
    const records = await recordsOf(sink);
    expect(await recordsOf(sink, { partition: 'w-1' })).toEqual(
      records.filter(({ partition }) => partition === 'w-1'),
    );
    expect(await recordsOf(sink, { orderId: 'o-7' })).toEqual(
      records.filter(({ event }) => 'orderId' in event && event.orderId === 'o-7'),
    );
    const after = { partition: 'w-2', seq: 499 };
    expect(await recordsOf(sink, { after })).toEqual(records.slice(1_500));
    const seeking = '-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off';
    const planner = database.pool({ max: 1, options: seeking });
    const planOf = async (where: string): Promise<string> => {
      const explain = `EXPLAIN SELECT event FROM killswitch_audit.records WHERE ${where} LIMIT 500`;
      return (await planner.query(explain)).rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    for (const where of [
      "chain = 'w-1' AND seq > 5 ORDER BY seq",
      "order_id = 'o-7' AND position > 5 ORDER BY position",
      "task_id = 'task-7' ORDER BY position",
      "principal_id = 'nobody' ORDER BY position",
      "workspace_id = 'w-1' AND event_time > now() ORDER BY event_time",
      'position > 5 ORDER BY position',
    ])
      expect(await planOf(where), where).not.toMatch(/Seq Scan|Sort {2}\(|Filter/);
    const ofRequests = "type IN ('order.requested', 'gate.released') AND position > 5 ORDER BY position";
    expect(await planOf(ofRequests)).toMatch(/Index Scan using records_\d+_\d+_position_idx/);
    expect(await planOf(ofRequests)).not.toMatch(/Seq Scan|Sort {2}\(/);
  });
});
