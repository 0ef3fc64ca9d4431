import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSite, people, reason, type Site } from './support/site.ts';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.close());

const ids = (answer: { body: { agents: { agentId: string }[] } }) =>
  answer.body.agents.map((a) => a.agentId).sort();

describe('a preview', () => {
  const stops = [
    ['POST', '/tasks/task-a/kill', ['a']],
    ['POST', '/workspaces/w/kill-all', ['a', 'b']],
    ['POST', '/emergency-stop', ['a', 'b', 'c']],
    ['DELETE', '/backends/local', ['a', 'b', 'c']],
    ['POST', '/agents/a/kill', ['a']],
    ['POST', '/agents/kill-all', ['a', 'b', 'c']],
  ] as const;
  beforeEach(async () => {
    await site.agent('a');
    await site.agent('b', { ownerId: 'bob' });
    await site.agent('c', { workspaceId: 'other' });
  });

  it.each(stops)(
    'of %s %s names who would be hit, without a reason and without effect',
    async (method, path, hit) => {
      const answer = await site.call('root', method, `${path}?preview=true`);
      expect(answer).toMatchObject({
        status: 200,
        body: { total: hit.length, byStatus: { running: hit.length } },
      });
      expect(ids(answer)).toEqual(hit);
      expect(JSON.stringify(answer.body)).not.toContain('handle');
      expect((await site.ks.status()).gates).toEqual([]);
      expect((await site.ks.list({ everything: true }, { limit: 10 })).items).toHaveLength(3);
    },
  );

  it.each(stops)('of %s %s with a misspelt word is refused, and kills nobody', async (method, path) => {
    for (const query of ['?preview=ture', '?preview', '?preveiw=true', '?preview=true&preview=false']) {
      const answer = await site.call('root', method, path + query, { reason });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-input' } });
    }
    expect((await site.ks.list({ everything: true }, { limit: 10 })).items).toHaveLength(3);
  });

  it('is for whoever may kill', async () => {
    expect(await site.call('bob', 'POST', '/tasks/task-a/kill?preview=true')).toMatchObject({ status: 403 });
    expect(await site.call('eve', 'POST', '/tasks/task-a/kill?preview=true')).toMatchObject({ status: 404 });
    expect(await site.call('ada', 'POST', '/emergency-stop?preview=true')).toMatchObject({ status: 403 });
  });
});

describe('the list of agents', () => {
  beforeEach(async () => {
    await site.agent('a');
    await site.agent('b', { ownerId: 'bob' });
    await site.agent('c', { workspaceId: 'other' });
  });

  it.each([
    ['root', '', ['a', 'b', 'c']],
    ['ada', '', ['a', 'b']],
    ['ada', '?workspaceId=w', ['a', 'b']],
    ['mia', '', ['a']],
    ['eve', '', ['c']],
    ['eve', '?workspaceId=w', []],
    ['eve', '?taskId=task-a', []],
    ['eve', '?taskId=no-such', []],
    ['eve', '?backendId=local', ['c']],
    ['root', '?backendId=local&workspaceId=w', ['a', 'b']],
    ['root', '?status=killing', []],
    ['root', '?taskId=task-a&workspaceId=other', []],
  ])('shows %s with "%s" what they may read (I11)', async (who, query, shown) => {
    const answer = await site.call(who, 'GET', `/agents${query}`);
    expect(answer.status).toBe(200);
    expect(ids(answer)).toEqual(shown);
  });

  it('comes in pages', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 5; page += 1) {
      const { body } = await site.call('root', 'GET', `/agents?limit=1${cursor}`);
      seen.push(...ids({ body }));
      if (body.cursor === undefined) break;
      cursor = `&cursor=${encodeURIComponent(body.cursor)}`;
    }
    expect(seen.sort()).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['eve', 'taskId=task-a', 'taskId=no-such'],
    ['eve', 'workspaceId=w', 'workspaceId=no-such'],
    ['eve', 'taskId=task-a&cursor=0', 'taskId=no-such&cursor=0'],
    ['mia', 'taskId=task-b', 'taskId=no-such'],
    ['nobody', 'backendId=local', 'backendId=no-such'],
  ])('tells %s of "%s" what it tells of "%s", in small pages too (I11)', async (who, foreign, unknown) => {
    // More of it than are asked for.
    for (const agentId of ['a2', 'a3']) await site.agent(agentId, { taskId: 'task-a' });
    for (const agentId of ['b2', 'b3']) await site.agent(agentId, { ownerId: 'bob', taskId: 'task-b' });
    const answers = [foreign, unknown].map((query) => site.call(who, 'GET', `/agents?limit=1&${query}`));
    const [one, other] = await Promise.all(answers);
    expect(one?.body).toEqual(other?.body);
  });

  it('skips what is not theirs, and misses nothing that is', async () => {
    for (let i = 0; i < 30; i += 1)
      await site.agent(`x${i}`, { workspaceId: i % 10 < 3 ? 'other' : 'w', ownerId: 'bob' });
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await site.call('eve', 'GET', `/agents?backendId=local&limit=2${cursor}`);
      seen.push(...ids({ body }));
      if (body.cursor === undefined) break;
      expect(body.agents.length).toBeGreaterThan(0);
      expect(body.agents.length).toBeLessThanOrEqual(2);
      cursor = `&cursor=${encodeURIComponent(body.cursor)}`;
    }
    const theirs = ['c', ...[0, 1, 2, 10, 11, 12, 20, 21, 22].map((i) => `x${i}`)];
    expect(seen.sort()).toEqual(theirs.sort());
  });

  it.each([
    '?limit=0',
    '?limit=1001',
    '?limit=x',
    '?limit=1.5',
    '?status=killed',
    '?workspaceId=',
    '?workspaceId=a&workspaceId=b',
    '?color=red',
    '?cursor=nonsense',
    '?taskId=__proto__',
  ])('refuses %s', async (query) => {
    expect(await site.call('root', 'GET', `/agents${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid-input' },
    });
  });

  it('names a workspace that has to be named', async () => {
    expect(await site.call('nobody', 'GET', '/agents')).toMatchObject({ status: 400 });
  });
});

describe('Prefer: respond-async', () => {
  it.each(['respond-async', 'wait=10, Respond-Async'])(
    'answers as soon as the stop is in force: %s',
    async (prefer) => {
      const patient = await openSite({ waitMs: 60_000 });
      try {
        await patient.agent('a', { behaviour: 'immortal' });
        const answer = await patient.call('mia', 'POST', '/tasks/task-a/kill', { reason }, { prefer });
        // Whoever waits is told at the deadline that it is not confirmed dead.
        expect(answer).toMatchObject({ status: 202, body: { settled: false, stored: true, failed: 0 } });
        expect(answer.headers.get('location')).toBe(`/kill/orders/${answer.body.orderId}`);
        expect((await patient.ks.status()).gates).toHaveLength(1);
        const order = await patient.call('mia', 'GET', `/orders/${answer.body.orderId}`);
        expect(order.body.principal).toEqual({ id: 'mia', kind: 'user' });
      } finally {
        await patient.close();
      }
    },
  );
});

describe('an Idempotency-Key', () => {
  const key = { 'Idempotency-Key': '8e03978e-40d5-43dd-bc93-6894a57f9324' };

  it('answers for the same order, so that what was released meanwhile is not stopped again', async () => {
    await site.agent('a');
    const first = await site.call('root', 'POST', '/emergency-stop', { reason }, key);
    await site.call('root', 'POST', '/emergency-stop/release', { reason });
    const again = await site.call('root', 'POST', '/emergency-stop', { reason }, key);
    expect(again.body.orderId).toBe(first.body.orderId);
    expect((await site.ks.status()).gates).toEqual([]);
    const later = await site.call('root', 'POST', '/emergency-stop', { reason });
    expect(later.body.orderId).not.toBe(first.body.orderId);
    expect((await site.ks.status()).gates).toHaveLength(1);
  });

  it('is no reason to refuse or to mix up stops', async () => {
    await site.agent('a');
    const first = await site.call('root', 'POST', '/agents/kill-all', { reason }, key);
    const stop = await site.call('root', 'POST', '/emergency-stop', { reason }, key);
    const other = await site.call('ada', 'POST', '/workspaces/w/kill-all', { reason }, key);
    const held = await site.call('ada', 'POST', '/workspaces/w/kill-all', { reason, hold: true }, key);
    const long = await site.call(
      'ada',
      'POST',
      '/workspaces/w/kill-all',
      { reason },
      { 'Idempotency-Key': 'x'.repeat(5_000) },
    );
    const orders = [first, stop, other, held, long].map(({ status, body }) => [status, body.orderId]);
    expect(orders.map(([status]) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(orders.map(([, id]) => id)).size).toBe(5);
  });

  it('tells nobody of an order whose rights were taken since, nor another kind of principal', async () => {
    await site.agent('a');
    const path = '/tasks/task-a/kill';
    const first = await site.call('mia', 'POST', path, { reason }, key);
    expect((await site.call('mia', 'POST', path, { reason }, key)).body.orderId).toBe(first.body.orderId);
    const grants = people.mia?.grants ?? [];
    for (const principal of [
      { id: 'mia', kind: 'user' as const, grants: [] },
      { id: 'mia', kind: 'agent' as const, grants },
    ]) {
      people.changed = principal;
      const again = await site.call('changed', 'POST', path, { reason }, key);
      expect(again.body.orderId).not.toBe(first.body.orderId);
      expect(again.status).toBe(principal.kind === 'agent' ? 200 : 404);
    }
  });

  it('joins the stop that is on its way', async () => {
    await site.agent('a', { behaviour: 'immortal' });
    const both = await Promise.all(
      [1, 2].map(() => site.call('ada', 'POST', '/tasks/task-a/kill', { reason }, key)),
    );
    expect(both.map(({ status }) => status)).toEqual([202, 202]);
    expect(both[0]?.body.orderId).toBe(both[1]?.body.orderId);
  });

  it('of a refused stop is none: the next one is tried', async () => {
    expect(await site.call('mia', 'POST', '/tasks/task-a/kill', { reason }, key)).toMatchObject({
      status: 404,
    });
    await site.agent('a');
    expect(await site.call('mia', 'POST', '/tasks/task-a/kill', { reason }, key)).toMatchObject({
      status: 200,
    });
  });
});
