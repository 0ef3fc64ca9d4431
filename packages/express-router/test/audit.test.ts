/** The record over HTTP: who may read what, page by page, and what nobody learns on the way (I11). */
import type { AuditSink } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { killswitchRouter } from '../src/index.ts';
import { world } from './support/audit-world.ts';

it('a super admin reads everything, with its chain; a workspace admin the workspace; a member an own task', async () => {
  const { audit, get, idsOf, expected, orders } = await world();
  const all = await get('sue');
  expect(all).toEqual({ status: 200, body: { records: audit.records() } });
  const ofW = expected(({ workspaceId }) => workspaceId === 'w');
  expect(ofW.length).toBeGreaterThan(4);
  expect(await idsOf('adam')).toEqual(ofW);
  expect(await idsOf('both', '?workspaceId=w')).toEqual(ofW);
  expect(await idsOf('sue', '?workspaceId=w')).toEqual(ofW);
  const ofMia = await idsOf('sue', '?taskId=task-of-mia');
  expect(ofMia.length).toBeGreaterThan(1);
  expect(await idsOf('mia', '?taskId=task-of-mia')).toEqual(ofMia);
  expect(await idsOf('adam', '?taskId=task-of-mia')).toEqual(ofMia);
  expect(await idsOf('mia', `?orderId=${orders.mia}`)).toEqual(await idsOf('sue', `?orderId=${orders.mia}`));
  expect(await idsOf('sue', '?principalId=oz&type=agent.killed')).toHaveLength(1);
  expect(await idsOf('sue', '?type=agent.killed,order.settled')).toHaveLength(6);
});

it('only what happened in a span of time, by any way to write it', async () => {
  const { audit, get, idsOf, expected } = await world();
  const times = audit.events().map(({ time }) => Date.parse(time));
  const middle = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const at = new Date(middle).toISOString();
  const inZone = encodeURIComponent(`${new Date(middle + 7_200_000).toISOString().slice(0, -1)}+02:00`);
  const since = expected(({ time }) => Date.parse(time) >= middle);
  const before = expected(({ time }) => Date.parse(time) < middle);
  expect(await idsOf('sue', `?from=${at}`)).toEqual(since);
  expect(await idsOf('sue', `?from=${inZone}`)).toEqual(since);
  expect(await idsOf('sue', `?until=${at}`)).toEqual(before);
  expect(await idsOf('sue', `?from=${at}&until=${at}`)).toEqual([]);
  const { cursor } = (await get('sue', `?from=${at}&limit=1`)).body;
  expect(await idsOf('sue', `?from=${at}&cursor=${cursor}`)).toEqual(since.slice(1));
  expect((await get('sue', `?cursor=${cursor}`)).status).toBe(400);
});

it('where a record stands on a chain that others share is told to nobody who may not read all of it', async () => {
  const { get } = await world();
  for (const record of (await get('adam')).body.records) expect(Object.keys(record)).toEqual(['event']);
});

it.each([
  ['mia', '', 403],
  ['mia', '?workspaceId=w', 403],
  ['mia', '?taskId=task-of-nia', 403],
  ['adam', '?workspaceId=other', 403],
  ['adam', '?workspaceId=no-such', 403],
  ['both', '', 400],
  ['nobody', '', 401],
])('%s may not read "%s": %i, on record', async (who, query, status) => {
  const { get, audit } = await world();
  const before = audit.records().length;
  expect((await get(who, query)).status).toBe(status);
  const denials = audit.events().slice(before);
  expect(denials.map(({ type }) => type)).toEqual(status === 403 ? ['request.denied'] : []);
});

it('a foreign task or order looks like one that is not there', async () => {
  const { get, orders } = await world();
  const look = async (who: string, name: string, id: string) => {
    const { status, body } = await get(who, `?${name}=${id}`);
    return { status, body: JSON.stringify(body).replaceAll(id, 'ID') };
  };
  for (const [name, foreign] of [
    ['taskId', 'task-of-oz'],
    ['orderId', orders.oz ?? ''],
  ] as const) {
    const unknown = await look('mia', name, 'no-such');
    expect(unknown.status).toBe(404);
    expect(await look('mia', name, foreign)).toEqual(unknown);
    // Whoever administers a workspace asks it, and finds nothing of the sort there.
    expect((await get('adam', `?${name}=${foreign}`)).body).toEqual({ records: [] });
  }
  expect(await look('nia', 'orderId', orders.mia ?? '')).toEqual(await look('nia', 'orderId', 'no-such'));
});

it('pages hold every record once, in order', async () => {
  const { get, idsOf } = await world();
  for (const who of ['sue', 'adam']) {
    const whole = await idsOf(who);
    for (const limit of [1, 2, 5, whole.length]) {
      const seen: string[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await get(who, `?limit=${limit}${cursor && `&cursor=${cursor}`}`);
        expect(body.records.length).toBeLessThanOrEqual(limit);
        // biome-ignore lint/suspicious/noExplicitAny: answers are read as they come
        seen.push(...body.records.map(({ event }: any) => event.id));
        if (body.cursor === undefined) break;
        cursor = body.cursor;
      }
      expect(seen).toEqual(whole);
    }
  }
});

it('a cursor is of its question, its workspace and its key, and says nothing', async () => {
  const cursorKey = new Uint8Array(32).fill(7);
  const { get } = await world({ cursorKey });
  const { cursor } = (await get('adam', '?limit=1')).body;
  expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toMatch(/memory|seq/);
  const refused = {
    status: 400,
    body: { code: 'invalid-input', issues: [expect.stringMatching(/^cursor: /)] },
  };
  const forged = Buffer.from(JSON.stringify({ partition: 'memory', seq: 0 })).toString('base64url');
  for (const [who, query] of [
    ['sue', `?limit=1&cursor=${cursor}`],
    ['zoe', `?limit=1&cursor=${cursor}`],
    ['adam', `?taskId=task-of-mia&cursor=${cursor}`],
    ['adam', `?cursor=${forged}`],
    ['adam', '?cursor='],
    ['adam', `?cursor=${cursor.slice(0, -4)}`],
    ['adam', `?cursor=${cursor.slice(0, -2)}AA`],
  ] as const)
    expect(await get(who, query), query).toMatchObject(refused);
  expect((await get('adam', `?limit=3&cursor=${cursor}`)).status).toBe(200);
  const other = await world();
  expect(await other.get('adam', `?limit=1&cursor=${cursor}`)).toMatchObject(refused);
  const same = await world({ cursorKey });
  expect((await same.get('adam', `?limit=1&cursor=${cursor}`)).status).toBe(200);
});

it.each([
  '?limit=0',
  '?limit=501',
  '?limit=1.5',
  '?limit=-1',
  '?limit=5&limit=6',
  '?type=nonsense',
  '?type=',
  '?type=agent.killed&type=order.settled',
  '?taskId=../x',
  '?taskId=a&taskId=b',
  '?workspaceId=',
  '?workspaceId[x]=w',
  '?since=2026',
  '?from=2026',
  '?from=yesterday',
  '?until=2026-01-02T03:04:05',
  '?from=2026-01-02T03:04:05Z&from=2026-01-02T03:04:05Z',
  `?cursor=${'x'.repeat(1_001)}`,
])('400 for %s', async (query) => {
  const { get } = await world();
  expect(await get('sue', query)).toMatchObject({ status: 400, body: { code: 'invalid-input' } });
});

it('503 if the record cannot be read, naming no reason, which goes to onFault', async () => {
  const broken: Pick<AuditSink, 'read'> = {
    async *read() {
      yield await Promise.reject(new Error('no answer from 10.0.0.7'));
    },
  };
  const { get, faults } = await world({ audit: broken });
  const { status, body } = await get('sue');
  expect({ status, code: body.code }).toEqual({ status: 503, code: 'audit-unavailable' });
  expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  expect(faults).toEqual(['GET /api/audit: Error: no answer from 10.0.0.7']);
});

it('so many read at once, and who finds no room is told so', async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let reading = 0;
  const slow: Pick<AuditSink, 'read'> = {
    async *read() {
      reading += 1;
      yield* await gate.then(() => []);
    },
  };
  const { get } = await world({ audit: slow });
  const waiting = [1, 2, 3, 4].map(() => get('sue'));
  await expect.poll(() => reading).toBe(4);
  expect(await get('sue')).toMatchObject({ status: 503, body: { code: 'audit-unavailable' } });
  release();
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
  expect((await get('sue')).status).toBe(200);
});

it('a sink that minds no filter opens no other workspace', async () => {
  const { audit, ks } = await world();
  const careless: Pick<AuditSink, 'read'> = { read: () => audit.read() };
  const { get } = await world({ audit: careless });
  for (const { event } of (await get('adam')).body.records) expect(event.workspaceId).toBe('w');
  expect(() => killswitchRouter(ks, { authenticate: () => undefined, audit: {} as never })).toThrow(
    /audit: must/,
  );
  expect(() =>
    killswitchRouter(ks, { authenticate: () => undefined, audit, cursorKey: new Uint8Array(3) }),
  ).toThrow(/cursorKey: must be 32 bytes/);
});

it('without a sink there is no such endpoint', async () => {
  const { get } = await world({ audit: undefined as never });
  expect(await get('sue')).toMatchObject({ status: 404, body: { code: 'no-such-route' } });
});
