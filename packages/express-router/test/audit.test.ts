/** The record over HTTP: who may read what, page by page, and what nobody learns on the way (I11). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AuditSink, createKillswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import {
  auditRoutes,
  type KillswitchRouterOptions,
  killswitchRouter,
  killswitchRoutes,
  noSuchRoute,
  openApi,
  problemHandler,
} from '../src/index.ts';
import { checkAnswers } from './support/answers-by-document.ts';

const member = (id: string, workspaceId = 'w'): Principal => ({
  id,
  kind: 'user',
  grants: [{ role: 'member', workspaceId }],
});
const adminOf = (...workspaces: string[]): Principal => ({
  id: `admin-of-${workspaces.join('+')}`,
  kind: 'user',
  grants: workspaces.map((workspaceId) => ({ role: 'workspace-admin', workspaceId })),
});
const people: Record<string, Principal> = {
  mia: member('mia'),
  nia: member('nia'),
  oz: member('oz', 'other'),
  adam: adminOf('w'),
  zoe: adminOf('other'),
  both: adminOf('w', 'other'),
  sue: { id: 'sue', kind: 'user', grants: [{ role: 'super-admin' }] },
};

const faultOf = checkAnswers(openApi([...killswitchRoutes, ...(auditRoutes as never[])]) as never);

/** A killswitch with two killed tasks of two people in workspace `w`, one in `other`, and its router. */
async function world(options: Partial<KillswitchRouterOptions> = {}) {
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const ks = createKillswitch({ hostId: 'h', state: memoryState(), audit, runtimes: { memory: runtime } });
  await ks.start();
  onTestFinished(() => ks.close());
  const orders: Record<string, string> = {};
  for (const [who, workspaceId] of [
    ['mia', 'w'],
    ['nia', 'w'],
    ['oz', 'other'],
  ] as const) {
    const agentId = `agent-of-${who}`;
    await ks.admit({ agentId, taskId: `task-of-${who}`, workspaceId, ownerId: who });
    await ks.running(agentId, [runtime.spawn()]);
    const report = await ks.kill(
      { task: `task-of-${who}` },
      { principal: people[who] as Principal, reason: 'a test' },
    );
    orders[who] = report.orderId;
  }
  const before = audit.records().length;
  const faults: string[] = [];
  const router = killswitchRouter(ks, {
    authenticate: (request) => people[String(request.headers['x-who'])],
    audit,
    onFault: (line) => faults.push(line),
    ...options,
  });
  const server = createServer(express().use('/api', router).use(noSuchRoute).use(problemHandler()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  // biome-ignore lint/suspicious/noExplicitAny: answers are read as they come
  const get = async (who: string, query = ''): Promise<{ status: number; body: any }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/audit${query}`, { headers: { 'x-who': who } });
    const body = await response.json();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    if (response.status !== 404)
      expect(faultOf('GET', '/audit', response.status, type, body)).toBeUndefined();
    return { status: response.status, body };
  };
  const idsOf = async (who: string, query = '') =>
    // biome-ignore lint/suspicious/noExplicitAny: answers are read as they come
    (await get(who, query)).body.records.map(({ event }: any) => event.id);
  const expected = (isMeant: (event: { workspaceId?: string | undefined; taskId?: string }) => boolean) =>
    audit
      .events()
      .slice(0, before)
      .filter((event) => isMeant(event))
      .map(({ id }) => id);
  return { audit, ks, get, idsOf, expected, orders, faults };
}

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
