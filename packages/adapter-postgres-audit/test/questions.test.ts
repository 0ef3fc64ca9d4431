/**
 * The questions that people ask of the record: each is answered page by page, whole, and from an index.
 * @services postgres
 */
import { type AuditEvent, type AuditQuery, type AuditRecord, auditPage } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killedEvent } from '../../../test/support/audit-events.ts';
import { withService } from '../../../test/support/with-service.ts';
import { type PostgresAudit, postgresAudit, type TimeQuery } from '../src/index.ts';
import { makeDatabase, recordsOf, type TestDatabase } from './support/database.ts';

type Killed = Extract<AuditEvent, { type: 'agent.killed' }>;

const count = 6_000;
/** Some share a time, and what happened first is not always told first. */
const events = Array.from({ length: count }, (_, n) => killedEvent(n)).map((event, n) => ({
  ...event,
  time: killedEvent(n % 2 === 0 ? n - (n % 10) : n).time,
  principal: { id: `person-${n % 50}`, kind: 'user' as const },
}));

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let pool: Pool;
  let sink: PostgresAudit;
  let all: readonly AuditRecord[];
  beforeAll(async () => {
    database = await makeDatabase(server);
    pool = database.pool();
    sink = postgresAudit(pool);
    for (let n = 0; n < count; n += 1_500) await sink.append(events.slice(n, n + 1_500) as never);
    await pool.query('ANALYZE killswitch_audit.records');
    all = await recordsOf(sink);
  });
  afterAll(() => database.drop());

  async function pagesOf(query: AuditQuery, limit: number): Promise<AuditRecord[]> {
    const found: AuditRecord[] = [];
    for (let after: AuditQuery['after']; ; ) {
      const page = await auditPage(sink, { ...query, ...(after && { after }) }, limit);
      expect(page.records.length).toBeLessThanOrEqual(limit);
      found.push(...page.records);
      if (page.next === undefined) return found;
      after = page.next;
    }
  }

  async function timed(query: TimeQuery): Promise<AuditRecord[]> {
    const found: AuditRecord[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await sink.readByTime({ ...query, ...(cursor && { cursor }) });
      expect(page.records.length).toBeLessThanOrEqual(query.limit ?? 100);
      found.push(...page.records);
      if (page.cursor === undefined) return found;
      cursor = page.cursor;
    }
  }

  it('by task, by principal, by order: pages are the whole answer, in reading order', async () => {
    for (const [query, isMeant] of [
      [{ taskId: 'task-7' }, (e) => e.taskId === 'task-7'],
      [{ principalId: 'person-3' }, (e) => e.principal.id === 'person-3'],
      [{ orderId: 'order-11' }, (e) => e.orderId === 'order-11'],
      [
        { taskId: 'task-7', workspaceId: 'workspace-1' },
        (e) => e.taskId === 'task-7' && e.workspaceId === 'workspace-1',
      ],
    ] as [AuditQuery, (event: Killed) => boolean][]) {
      const expected = all.filter(({ event }) => isMeant(event as Killed));
      expect(expected.length).toBeGreaterThan(5);
      expect(await pagesOf(query, 7)).toEqual(expected);
    }
    expect(await pagesOf({ taskId: 'no such' }, 7)).toEqual([]);
  });

  it('by workspace and time: pages are the whole answer, by the time of the events, from either end', async () => {
    const workspaceId = 'workspace-2';
    const [from, until] = [new Date(events[1_000]?.time ?? ''), new Date(events[4_000]?.time ?? '')];
    const expected = all
      .filter(({ event }) => event.workspaceId === workspaceId)
      .filter(({ event: { time } }) => time >= from.toISOString() && time < until.toISOString());
    expected.sort((a, b) =>
      a.event.time < b.event.time ? -1 : a.event.time > b.event.time ? 1 : a.seq - b.seq,
    );
    expect(expected.length).toBeGreaterThan(500);
    for (const limit of [1_000, 13]) {
      expect(await timed({ workspaceId, from, until, limit })).toEqual(expected);
      expect(await timed({ workspaceId, from, until, limit, newestFirst: true })).toEqual(
        expected.toReversed(),
      );
    }
    expect(await timed({ workspaceId })).toHaveLength(count / 5);
    expect(await timed({ workspaceId: 'no such' })).toEqual([]);
    const ever = { from: new Date(-8.64e15), until: new Date(8.64e15) };
    expect(await timed({ workspaceId, ...ever })).toHaveLength(count / 5);
  });

  it('what no id can hold is nowhere on record', async () => {
    for (const query of [
      { taskId: 'a\0' },
      { orderId: '\0' },
      { partition: '\0' },
      { principalId: '\ud800' },
    ])
      expect(await recordsOf(sink, query), JSON.stringify(query)).toEqual([]);
    const after = { partition: 'a\0', seq: 0 };
    await expect(recordsOf(sink, { after })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it.each([{ limit: 0 }, { limit: 1_001 }, { cursor: '1' }, { from: new Date(Number.NaN) }, { unknown: 1 }])(
    'refuses %o',
    async (part) => {
      const query = { workspaceId: 'w', ...part } as TimeQuery;
      await expect(sink.readByTime(query)).rejects.toMatchObject({ code: 'invalid-input' });
    },
  );

  it('reads a page from an index, wherever it begins', async () => {
    const asked: { text: string; values: unknown[] }[] = [];
    const spied = new Proxy(pool, {
      get: (target, name) =>
        name !== 'connect'
          ? Reflect.get(target, name)
          : async () => {
              const client = await target.connect();
              return new Proxy(client, {
                get: (inner, member) => {
                  const value = Reflect.get(inner, member);
                  if (member !== 'query') return typeof value === 'function' ? value.bind(inner) : value;
                  return (text: string, values: unknown[]) => {
                    if (/FROM killswitch_audit\.records\s+WHERE/.test(text)) asked.push({ text, values });
                    return inner.query(text, values);
                  };
                },
              });
            },
    });
    const audit = postgresAudit(spied);
    const plans = async (read: () => Promise<unknown>): Promise<string[]> => {
      asked.length = 0;
      await read();
      expect(asked.length).toBeGreaterThan(0);
      return Promise.all(
        asked.map(async ({ text, values }) => {
          const { rows } = await pool.query(`EXPLAIN (ANALYZE, TIMING OFF) ${text}`, values);
          return rows.map((row) => row['QUERY PLAN']).join('\n');
        }),
      );
    };
    const from = new Date(events[3_000]?.time ?? '');
    const far = all.findLast(({ event }) => event.workspaceId === 'workspace-2');
    const after = far && { partition: far.partition, seq: far.seq - 60 };
    for (const read of [
      () => recordsOf(audit, { taskId: 'task-7' }),
      () => recordsOf(audit, { orderId: 'order-7', ...(after && { after }) }),
      () => recordsOf(audit, { principalId: 'person-7' }),
      () => recordsOf(audit, { workspaceId: 'workspace-2', ...(after && { after }) }),
      () => audit.readByTime({ workspaceId: 'workspace-2', from, limit: 50 }),
      () => audit.readByTime({ workspaceId: 'workspace-2', newestFirst: true, limit: 50 }),
    ])
      for (const plan of await plans(read)) {
        expect(plan).toMatch(/Index (Only )?Scan|Bitmap Index Scan/);
        expect(plan).not.toMatch(/Seq Scan .*actual rows=[1-9]/);
        // Nothing is read in numbers only to be thrown away.
        expect(
          [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, n]) => Number(n) < 200),
        ).not.toContain(false);
      }
  });
});
