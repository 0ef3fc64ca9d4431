import type { AuditEvent } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Permission } from '../src/index.ts';
import { type AnyRoute, namedRoutes, nameOf, routes } from './support/routes.ts';
import { openSite, reason, type Site } from './support/site.ts';

const permissions: readonly Permission[] = ['kill', 'release', 'read', 'admit', 'own'];

/** What each person is to the target that the workspace `w`, the agent `mine` and mia own. */
const people = [
  'root',
  'ada',
  'mia',
  'bob',
  'eve',
  'bot',
  'adabot',
  'rootbot',
  'nobody',
  'stranger',
] as const;
type Who = (typeof people)[number];

/** Who may do what to it, by the table of docs/http.md. */
const may: Readonly<Record<string, readonly Who[]>> = {
  'POST /tasks/:id/kill': ['root', 'ada', 'mia', 'adabot', 'rootbot'],
  'POST /workspaces/:id/kill-all': ['root', 'ada', 'adabot', 'rootbot'],
  'POST /emergency-stop': ['root', 'rootbot'],
  'DELETE /backends/:id': ['root', 'rootbot'],
  'POST /emergency-stop/release': ['root'],
  'POST /workspaces/:id/release': ['root', 'ada'],
  'POST /backends/:id/reinstate': ['root'],
  'GET /orders/:id': ['root', 'ada', 'mia', 'adabot', 'rootbot'],
  'GET /orders/:id/events': ['root', 'ada', 'mia', 'adabot', 'rootbot'],
  'POST /agents/:agentId/cleanup': ['root', 'ada', 'mia', 'adabot', 'rootbot'],
  'POST /orders/:id/cleanup': ['root', 'ada', 'mia', 'adabot', 'rootbot'],
  'GET /audit': ['root', 'ada', 'eve', 'adabot', 'rootbot'],
  'GET /audit/verify': ['root', 'ada', 'eve', 'adabot', 'rootbot'],
  'POST /agents/kill-all': ['root', 'ada', 'adabot', 'rootbot'],
  'POST /agents/:agentId/kill': ['root', 'ada', 'mia', 'adabot', 'rootbot'],
};
/** Whoever is known gets an answer, with nothing in it that is not theirs. */
const forAll = ['GET /agents', 'GET /me', 'GET /status', 'GET /openapi.json'];

let site: Site;
beforeEach(async () => {
  site = await openSite();
  await site.agent('mine', { workspaceId: 'w', ownerId: 'mia' });
  await site.agent('theirs', { workspaceId: 'other', ownerId: 'eve' });
});
afterEach(() => site.close());

/** The path for a target: what is mia's in `w`, what is eve's in `other`, or what is not there. */
function pathFor(
  { path }: AnyRoute,
  target: 'own' | 'foreign' | 'unknown',
  orders: Readonly<Record<string, string>>,
): string {
  const id = { own: 'mine', foreign: 'theirs', unknown: 'no-such' }[target];
  const workspace = { own: 'w', foreign: 'other', unknown: 'no-such' }[target];
  return path
    .replace('/tasks/:id', `/tasks/task-${id}`)
    .replace('/workspaces/:id', `/workspaces/${workspace}`)
    .replace('/orders/:id', `/orders/${orders[target] ?? 'ord_none'}`)
    .replace('/backends/:id', '/backends/local')
    .replace(':agentId/cleanup', `${id}-old/cleanup`)
    .replace(':agentId', id);
}

const takesTarget = ({ path }: AnyRoute) => /tasks|workspaces|orders|:agentId/.test(path);

/** Kills a task of both workspaces, so that there are orders to read; new agents take the place of the dead. */
async function ordersOf(): Promise<Record<string, string>> {
  const orders: Record<string, string> = {};
  for (const [target, agentId] of [
    ['own', 'mine'],
    ['foreign', 'theirs'],
  ] as const) {
    const { body } = await site.call('root', 'POST', `/agents/${agentId}-old/kill`, { reason });
    orders[target] = body.orderId;
  }
  return orders;
}

describe('each route', () => {
  it('declares a permission that there is, and says here who has it', () => {
    for (const route of routes) {
      expect(permissions, nameOf(route)).toContain(route.permission);
      expect([...Object.keys(may), ...forAll], 'a new route has to be put into this matrix').toContain(
        nameOf(route),
      );
    }
    expect(routes).toHaveLength(Object.keys(may).length + forAll.length);
  });

  describe.each(namedRoutes)('%s', (name, route) => {
    it.each(people)(
      'for %s, on what is own, foreign and unknown: nothing crosses a workspace (I11)',
      async (who) => {
        await site.agent('mine-old', { workspaceId: 'w', ownerId: 'mia' });
        await site.agent('theirs-old', { workspaceId: 'other', ownerId: 'eve' });
        const orders = await ordersOf();
        const before = await site.ks.status();
        const answers = [];
        for (const target of takesTarget(route)
          ? (['unknown', 'foreign', 'own'] as const)
          : (['own'] as const)) {
          const path = pathFor(route, target, orders);
          const body = route.body === undefined ? undefined : { reason };
          if (name.endsWith('/events') && sees(who, target)) continue;
          answers.push({ target, ...(await site.call(who, route.method, path, body)) });
        }
        if (who === 'stranger') {
          for (const { status } of answers) expect(status).toBe(401);
          expect(await site.ks.status()).toEqual(before);
          return;
        }
        for (const { target, status, body } of answers) {
          // An answer may name what was asked for.
          const text = JSON.stringify(body).replaceAll(/\\"(task-)?theirs(-old)?\\"/g, '');
          if (!isRoot(who) && who !== 'eve') expect(text).not.toMatch(/theirs|"eve"/);
          if (forAll.includes(name)) expect([200, 400]).toContain(status);
          else if (target === 'own' && name !== 'POST /agents/kill-all')
            expect(status < 300, `${who}: ${text}`).toBe(may[name]?.includes(who));
          else if (target === 'foreign' && !isRoot(who) && who !== 'eve')
            expect(status).toBeGreaterThanOrEqual(403);
        }
        const [unknown, foreign] = answers;
        if (unknown !== undefined && foreign?.target === 'foreign' && !isRoot(who) && who !== 'eve')
          expect(likeness(unknown)).toEqual(likeness(foreign));
        const lives = await aliveOf();
        if (!isRoot(who) && who !== 'eve') expect(lives).toContain('theirs');
        if (who === 'eve' || !may[name]?.includes(who)) expect(lives).toContain('mine');
      },
    );
  });
});

describe('every refusal', () => {
  it('is on record, once', async () => {
    await site.call('bob', 'POST', '/tasks/task-mine/kill', { reason });
    await site.call('eve', 'POST', '/tasks/task-mine/kill', { reason });
    const denials: AuditEvent[] = [];
    for await (const { event } of site.audit.read({}))
      if (event.type === 'request.denied') denials.push(event);
    expect(denials).toHaveLength(2);
  });
});

/** Whether the events of that order are a stream that goes to them. */
const sees = (who: Who, target: string) =>
  isRoot(who) ||
  (target === 'foreign' ? who === 'eve' : target === 'own' && ['ada', 'mia', 'adabot'].includes(who));

const isRoot = (who: Who) => who === 'root' || who === 'rootbot';

/** What two answers must have in common to tell nothing apart, ids aside. */
function likeness({ status, body }: { status: number; body: Record<string, unknown> }) {
  const detail = String(body.detail)
    .replaceAll(/theirs|no-such|other|ord_\w+/g, 'ID')
    .replaceAll('task-ID', 'ID');
  return { status, code: body.code, title: body.title, detail };
}

async function aliveOf(): Promise<string[]> {
  const { items } = await site.ks.list({ everything: true }, { limit: 100 });
  return items.map(({ agentId }) => agentId);
}
