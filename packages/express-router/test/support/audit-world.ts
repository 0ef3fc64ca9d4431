import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKillswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import express from 'express';
import { expect, onTestFinished } from 'vitest';
import {
  auditRoutes,
  type KillswitchRouterOptions,
  killswitchRouter,
  killswitchRoutes,
  noSuchRoute,
  openApi,
  problemHandler,
  verifyRoutes,
} from '../../src/index.ts';
import { checkAnswers } from './answers-by-document.ts';

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
export const people: Record<string, Principal> = {
  mia: member('mia'),
  nia: member('nia'),
  oz: member('oz', 'other'),
  adam: adminOf('w'),
  zoe: adminOf('other'),
  both: adminOf('w', 'other'),
  sue: { id: 'sue', kind: 'user', grants: [{ role: 'super-admin' }] },
};

const faultOf = checkAnswers(
  openApi([...killswitchRoutes, ...([...auditRoutes, ...verifyRoutes] as never[])]) as never,
);

/** A killswitch with two killed tasks of two people in workspace `w`, one in `other`, and its router. */
export async function world(options: Partial<KillswitchRouterOptions> = {}) {
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
  const ask = async (who: string, path: string, query = ''): Promise<{ status: number; body: any }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api${path}${query}`, {
      headers: { 'x-who': who },
    });
    const body = await response.json();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    if (response.status !== 404) expect(faultOf('GET', path, response.status, type, body)).toBeUndefined();
    return { status: response.status, body };
  };
  const get = (who: string, query = '') => ask(who, '/audit', query);
  const verify = (who: string, query = '') => ask(who, '/audit/verify', query);
  const idsOf = async (who: string, query = '') =>
    // biome-ignore lint/suspicious/noExplicitAny: answers are read as they come
    (await get(who, query)).body.records.map(({ event }: any) => event.id);
  const expected = (
    isMeant: (event: { workspaceId?: string | undefined; taskId?: string; time: string }) => boolean,
  ) =>
    audit
      .events()
      .slice(0, before)
      .filter((event) => isMeant(event))
      .map(({ id }) => id);
  return { audit, ks, get, verify, idsOf, expected, orders, faults };
}
