/** Failed cleanup steps over HTTP: tried again at the request of whoever may kill, once at a time. */
import type { CleanupStep } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSite, reason, type Site } from './support/site.ts';

let site: Site;
let tries: string[];
/** What a try of the step does. */
let attempt: () => Promise<void>;

const broken = async (): Promise<void> => {
  throw new Error('the disk is full');
};
const step: CleanupStep = {
  name: 'worktree',
  // No second try by itself while a test goes on.
  limits: { tries: 1, backoffMs: 60_000 },
  appliesTo: () => true,
  run({ agentId }) {
    tries.push(agentId);
    return attempt();
  },
};

beforeEach(async () => {
  tries = [];
  attempt = broken;
  site = await openSite({ cleanup: [step] });
  for (const id of ['a', 'b']) await site.agent(id);
});
afterEach(() => site.close());

const stopAll = () => site.call('root', 'POST', '/workspaces/w/kill-all', { reason });

describe('a cleanup that has failed', () => {
  it('is refused to strangers as what is not there is, on record too (I11)', async () => {
    for (const id of ['a', 'nope'])
      expect(await site.call('eve', 'POST', `/agents/${id}/cleanup`)).toMatchObject({ status: 404 });
    const denied = site.audit.events().filter(({ type }) => type === 'request.denied');
    expect(denied).toMatchObject([{ scope: { agent: 'a' } }, { scope: { agent: 'nope' } }]);
  });

  it.each(['/agents/a/cleanup', '/orders/ORDER/cleanup'])('is tried again by POST %s', async (path) => {
    const { body } = await stopAll();
    expect(body.errors).toHaveLength(2);
    const where = path.replace('ORDER', body.orderId);
    const n = path.startsWith('/orders') ? 2 : 1;
    expect(await site.call('ada', 'POST', where)).toMatchObject({
      status: 200,
      body: {
        total: n,
        cleaned: 0,
        elsewhere: 0,
        errors: Array(n).fill(expect.stringContaining('the disk is full')),
      },
    });
    attempt = async () => undefined;
    expect(await site.call('ada', 'POST', where)).toMatchObject({
      status: 200,
      body: { total: n, cleaned: n, errors: [] },
    });
    expect(await site.call('ada', 'POST', where)).toMatchObject({
      status: 200,
      body: { total: 0, cleaned: 0 },
    });
    const told = site.audit.events().filter(({ type }) => type === 'cleanup.finished');
    expect(told).toHaveLength(2 + n);
  });

  it('that takes long is answered with 202, goes on, and is tried once however often it is asked for', async () => {
    const { body } = await stopAll();
    tries = [];
    const held = Promise.withResolvers<void>();
    attempt = () => held.promise;
    const where = `/orders/${body.orderId}/cleanup`;
    for (const { status } of await Promise.all([1, 2, 3].map(() => site.call('ada', 'POST', where))))
      expect(status).toBe(202);
    held.resolve();
    // Joins what is under way.
    await site.ks.retryCleanup({ orderId: body.orderId });
    expect(tries.sort()).toEqual(['a', 'b']);
    const report = await site.call('ada', 'GET', `/orders/${body.orderId}`);
    expect(report.body).toMatchObject({ settled: true, errors: [] });
  });

  it('of an agent that lives is none', async () => {
    expect(await site.call('ada', 'POST', '/agents/a/cleanup')).toMatchObject({
      status: 400,
      body: { code: 'invalid-transition' },
    });
    expect(tries).toEqual([]);
  });
});
