/**
 * Bad input to the record, by name: a clear error or a faithful, bounded record; never a lost kill event, never a blocked
 * kill (I4, I5).
 * @services postgres
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fileJournal,
  type JournaledAudit,
  type JournaledNews,
  journaled,
} from '@agent-killswitch/adapter-file-audit';
import { grants, migrate, postgresAudit, verifyDatabase } from '@agent-killswitch/adapter-postgres-audit';
import {
  type AuditEvent,
  type AuditSink,
  createKillswitch,
  type Killswitch,
  type Runtime,
} from '@agent-killswitch/core';
import { memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  asAdmin,
  makeDatabase,
  type TestDatabase,
} from '../packages/adapter-postgres-audit/test/support/database.ts';
import { killedEvent } from './support/audit-events.ts';
import { withService } from './support/with-service.ts';

const root = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let owner: Pool;
  let folder: string;
  let told: JournaledNews[];

  beforeEach(async () => {
    database = await makeDatabase(server, false);
    owner = database.pool();
    folder = await mkdtemp(join(tmpdir(), 'bad-input-'));
    told = [];
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await database.drop();
  });

  function inFrontOf(pool: Pool): JournaledAudit {
    const audit = journaled(postgresAudit(pool), fileJournal(folder), { onNews: (news) => told.push(news) });
    onTestFinished(() => audit.close(0));
    return audit;
  }

  async function hostWith(audit: AuditSink, runtime: Runtime = memoryRuntime()): Promise<Killswitch> {
    const ks = createKillswitch({ hostId: 'h', state: memoryState(), audit, runtimes: { memory: runtime } });
    await ks.start();
    onTestFinished(() => ks.close());
    return ks;
  }

  /** Kills one agent, which has to be as quick as ever. */
  async function kill(ks: Killswitch, runtime = memoryRuntime()) {
    await ks.admit({ agentId: 'a', taskId: 't', workspaceId: 'w', ownerId: 'mia' });
    await ks.running('a', [runtime.spawn()]);
    return ks.kill({ agent: 'a' }, { principal: root, reason: 'a test' });
  }

  const typesOnRecord = async (): Promise<string[]> =>
    (await owner.query('SELECT type FROM killswitch_audit.records ORDER BY position')).rows.map(
      ({ type }) => type,
    );

  describe.each([
    [
      'a newer schema',
      'postgres-version',
      async () => {
        await migrate(owner);
        await owner.query('INSERT INTO killswitch_audit.migrations (version) VALUES (9)');
      },
      // As the newer version of this package would find it.
      () =>
        owner.query(
          'ALTER TABLE killswitch_audit.migrations DISABLE TRIGGER ALL; DELETE FROM killswitch_audit.migrations WHERE version = 9',
        ),
    ],
    ['a missing migration', 'postgres-schema', async () => {}, () => migrate(owner)],
  ] as const)('a database of %s', (_, code, spoil, mend) => {
    it('is refused by name, delays no kill, and gets every event once when it is mended', async () => {
      await spoil();
      await expect(postgresAudit(owner).open()).rejects.toMatchObject({ code });
      await expect(postgresAudit(owner).append([killedEvent(0)])).rejects.toMatchObject({ code });
      const runtime = memoryRuntime();
      const audit = inFrontOf(owner);
      const report = await kill(await hostWith(audit, runtime), runtime);
      expect(report).toMatchObject({ settled: true, killed: 1 });
      await expect.poll(() => told).toMatchObject([{ type: 'delivery-failed', error: { code } }]);
      await mend();
      expect(await audit.delivered(20_000)).toBe(true);
      expect(await typesOnRecord()).toEqual(['order.requested', 'agent.killed', 'order.settled']);
    });
  });

  it('a wrong role is refused by name, delays no kill, and its events arrive once it is the right one', async () => {
    const role = `r_${randomUUID().slice(0, 8)}`;
    await migrate(owner);
    await asAdmin(server, `CREATE ROLE ${role} LOGIN PASSWORD 'r'`);
    const url = Object.assign(new URL(database.url), { username: role, password: 'r' });
    const pool = database.pool({ connectionString: url.href });
    const runtime = memoryRuntime();
    const audit = inFrontOf(pool);
    const report = await kill(await hostWith(audit, runtime), runtime);
    expect(report).toMatchObject({ settled: true, killed: 1 });
    await expect
      .poll(() => told)
      .toMatchObject([{ type: 'delivery-failed', error: { code: 'postgres-role' } }]);
    await owner.query(grants(role));
    expect(await audit.delivered(20_000)).toBe(true);
    expect(await typesOnRecord()).toEqual(['order.requested', 'agent.killed', 'order.settled']);
    await audit.close();
    await owner.query(`DROP OWNED BY ${role}`);
    await asAdmin(server, `DROP ROLE ${role}`);
  });

  it('a clock that goes backwards: events keep their times and the order they were told in', async () => {
    await migrate(owner);
    const sink = postgresAudit(owner);
    const events = [5, 3, 4, 1].map((n) => ({ ...killedEvent(n), workspaceId: 'w' }));
    for (const event of events) await sink.append([event]);
    const { rows } = await owner.query(
      'SELECT event_id, event_time FROM killswitch_audit.records ORDER BY chain, seq',
    );
    expect(rows.map(({ event_id }) => event_id)).toEqual(events.map(({ id }) => id));
    expect(rows.map(({ event_time }) => event_time.toISOString())).toEqual(events.map(({ time }) => time));
    expect(await verifyDatabase(owner)).toMatchObject({ ok: true, count: 4 });
  });

  it('an event over the size limit is refused by name, one below it kept whole, and nothing is held up', async () => {
    await migrate(owner);
    const audit = inFrontOf(owner);
    const withEvidence = (n: number, length: number) => ({ ...killedEvent(n), evidence: 'x'.repeat(length) });
    for (const sink of [audit, postgresAudit(owner)])
      await expect(sink.append([withEvidence(0, 17 * 2 ** 20)])).rejects.toMatchObject({
        code: 'invalid-input',
        message: /audit event 0 of the batch: longer than/,
      });
    const events = [killedEvent(1), withEvidence(2, 8 * 2 ** 20), killedEvent(3)];
    await audit.append(events);
    expect(await audit.delivered(60_000)).toBe(true);
    const found: AuditEvent[] = [];
    for await (const { event } of postgresAudit(owner, { readMs: 60_000 }).read()) found.push(event);
    expect(found).toEqual(events);
    expect(await verifyDatabase(owner)).toMatchObject({ ok: true, count: 3 });
  }, 120_000);

  it('NUL and lone surrogates in what a runtime says: kept whole, and as near as a column can', async () => {
    await migrate(owner);
    const odd = 'NUL \0 and lone \ud800 and \udfff';
    const inner = memoryRuntime();
    const runtime: Runtime = {
      ...inner,
      inspect: async (handle, context) => ({ ...(await inner.inspect(handle, context)), evidence: odd }),
    };
    const audit = inFrontOf(owner);
    expect(await kill(await hostWith(audit, runtime), inner)).toMatchObject({ settled: true, killed: 1 });
    expect(await audit.delivered(20_000)).toBe(true);
    const evidence: unknown[] = [];
    for await (const { event } of audit.read({ types: ['agent.killed'] }))
      evidence.push('evidence' in event && event.evidence);
    expect(evidence).toEqual([odd]);
    expect(await verifyDatabase(owner)).toMatchObject({ ok: true, count: 3 });
  });

  it('10 MB: as a reason refused by name before anything is done; from a runtime cut to size', async () => {
    await migrate(owner);
    const inner = memoryRuntime();
    const runtime: Runtime = {
      ...inner,
      inspect: async (handle, context) => ({
        ...(await inner.inspect(handle, context)),
        evidence: 'x'.repeat(10_000_000),
      }),
    };
    const audit = inFrontOf(owner);
    const ks = await hostWith(audit, runtime);
    const reason = 'x'.repeat(10_000_000);
    await expect(ks.emergencyStop({ principal: root, reason })).rejects.toMatchObject({
      code: 'invalid-input',
      message: /reason.*2000/,
    });
    expect((await ks.status()).gates).toEqual([]);
    for (const sink of [audit, postgresAudit(owner)])
      await expect(sink.append([{ ...killedEvent(0), reason } as AuditEvent])).rejects.toMatchObject({
        code: 'invalid-input',
        message: /reason/,
      });
    expect(await kill(ks, inner)).toMatchObject({ settled: true, killed: 1 });
    expect(await audit.delivered(20_000)).toBe(true);
    const { rows } = await owner.query(
      `SELECT max(length(event::text)) AS longest, count(*)::int AS count FROM killswitch_audit.records`,
    );
    expect(rows[0].count).toBe(3);
    expect(Number(rows[0].longest)).toBeLessThan(10_000);
  });
});
