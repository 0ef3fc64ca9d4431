import { describe, expect, it } from 'vitest';
import { manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import { type Harness, harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

/** The steps of all stops of a host, each with its time since now in milliseconds. */
function stepsOf({ ks, clock }: Harness): string[] {
  const start = clock.now();
  const steps: string[] = [];
  ks.on('step', ({ step, agentId, at }) => steps.push(`${at - start} ${step} ${agentId ?? ''}`.trim()));
  return steps;
}

describe('a stop takes its steps in order, and at their times', () => {
  it('of those who die at once, when forced, and much later', async () => {
    const run = async (): Promise<void> => {
      await new Promise<void>((resolve) => h.clock.setTimer(30, resolve));
    };
    const h: Harness = await harness({ cleanup: [{ name: 'worktree', appliesTo: () => true, run }] });
    const steps = stepsOf(h);
    await h.agent('easy', { task: 't' });
    await h.agent('stubborn', { task: 't', behaviour: 'stubborn' });
    const immortal = await h.agent('immortal', { task: 't', behaviour: 'immortal' });
    const report = await h.during(6_000, h.ks.kill({ task: 't' }, request));
    expect(report).toMatchObject({ settled: false, total: 3, killed: 2, failed: 1 });
    const agents = ['easy', 'stubborn', 'immortal'];
    const expected = [
      '0 placed',
      '0 requested',
      ...agents.map((agentId) => `0 claimed ${agentId}`),
      ...agents.map((agentId) => `0 signalled ${agentId}`),
      '0 confirmed easy',
      '30 cleaned easy',
      '2000 forced stubborn',
      '2000 confirmed stubborn',
      '2000 forced immortal',
      '2030 cleaned stubborn',
      '5000 unconfirmed immortal',
    ];
    expect(steps).toEqual(expected);
    h.runtime.end(immortal);
    await h.clock.advance(6_000);
    expect(steps).toEqual([...expected, '5400 confirmed immortal', '5430 cleaned immortal', '5430 settled']);
    const ago = (time: string | undefined) => time && Date.parse(time) - report.requestedAt;
    const killed = h.events('agent.killed');
    expect(
      killed.map((event) => [
        event.agentId,
        ago(event.signalledAt),
        ago(event.forcedAt),
        ago(event.confirmedAt),
      ]),
    ).toEqual([
      ['easy', 0, undefined, 0],
      ['stubborn', 0, 2_000, 2_000],
      ['immortal', 0, 2_000, 5_400],
    ]);
    expect(h.events('agent.unconfirmed')).toMatchObject([
      { agentId: 'immortal', evidence: 'agent 2 is in memory' },
    ]);
    expect(h.events('order.settled')).toMatchObject([{ total: 3, killed: 3 }]);
  });

  it('with a grace, which only those use who need it', async () => {
    const h = await harness();
    const steps = stepsOf(h);
    await h.agent('graceful', { behaviour: 'graceful' });
    await h.agent('a');
    const stop = h.ks.stop({ workspace: 'w1' }, { ...request, graceMs: 1_000 });
    expect(await h.during(6_000, stop)).toMatchObject({ settled: true, total: 2, killed: 2 });
    expect(steps).toEqual([
      '0 placed',
      '0 requested',
      '0 claimed graceful',
      '0 claimed a',
      '0 signalled graceful',
      '0 signalled a',
      '0 confirmed graceful',
      '1000 confirmed a',
      '1000 settled',
    ]);
  });

  it('of a scope with nobody in it', async () => {
    const h = await harness();
    h.ks.on('step', (event) => expect(event).not.toHaveProperty('agentId'));
    const warnings: string[] = [];
    h.ks.on('warning', ({ message }) => warnings.push(message));
    const steps = stepsOf(h);
    expect(await h.during(100, h.ks.kill({ workspace: 'w1' }, request))).toMatchObject({
      settled: true,
      total: 0,
    });
    expect(steps).toEqual(['0 placed', '0 requested', '0 settled']);
    expect(warnings).toEqual([]);
  });
});

describe('two hosts', () => {
  it('I7: an order that could not be stored joins the same one that another host has placed since', async () => {
    const state = memoryState();
    let isDown = false;
    const placing = patchedStore(state, {
      placeOrder: async (order) => {
        if (isDown) throw new Error('connection refused');
        return state.placeOrder(order);
      },
    });
    const a = await harness({ state: placing });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    const zombie = await a.agent('a1', { behaviour: 'immortal' });
    isDown = true;
    const one = a.ks.kill({ everything: true }, request);
    await a.clock.advance(100);
    const other = b.ks.kill({ everything: true }, request);
    await a.clock.advance(100);
    isDown = false;
    await a.clock.advance(1_500);
    const [order] = await state.listOpenOrders();
    expect(await state.listOpenOrders()).toHaveLength(1);
    expect(order?.hostId).toBe('host-2');
    expect(a.events('order.joined')).toMatchObject([{ hostId: 'host-1', joinedOrderId: order?.orderId }]);
    a.runtime.end(zombie);
    await a.clock.advance(6_000);
    for (const report of await Promise.all([one, other]))
      expect(report).toMatchObject({ total: 1, orderId: order?.orderId });
    expect(await state.listOpenOrders()).toEqual([]);
    expect(a.events('agent.killed')).toMatchObject([{ agentId: 'a1', orderId: order?.orderId }]);
    expect(a.events('order.settled')).toHaveLength(1);
  });

  it('I4: who has joined an order, and takes it over from a lost host, tells what that host could not', async () => {
    const state = memoryState();
    const cut = { placing: true, lost: false, hearing: false };
    const refuse = async (): Promise<never> => {
      throw new Error('connection refused');
    };
    const audit = memoryAudit();
    // Whoever looks what is on record takes longer than whoever does not.
    const read: AuditSink['read'] = async function* (query) {
      if (cut.lost) await new Promise<void>((resolve) => clock.setTimer(1_000, resolve));
      yield* audit.read(query);
    };
    const clock = manualClock();
    const a = await harness({
      clock,
      audit: { ...audit, read },
      state: patchedStore(state, {
        placeOrder: (order) => (cut.placing ? refuse() : state.placeOrder(order)),
        listOpenOrders: () => (cut.hearing ? refuse() : state.listOpenOrders()),
      }),
    });
    const b = await harness({
      state: new Proxy(state, {
        get: (target, name: 'getOrder') =>
          cut.lost && name !== ('watch' as string) ? refuse : target[name]?.bind(target),
      }),
      hostId: 'host-2',
      clock,
      audit: { ...audit, append: () => new Promise<never>(() => undefined) },
    });
    const one = a.ks.kill({ everything: true }, request);
    await clock.advance(100);
    cut.hearing = true;
    const other = b.ks.kill({ everything: true }, { ...request, reason: 'untold' });
    await clock.advance(200);
    cut.lost = true;
    cut.placing = false;
    await clock.advance(40_000);
    await Promise.all([one, other]);
    const told = audit
      .events()
      .filter((event) => event.type === 'order.requested' || event.type === 'order.settled')
      .filter(({ reason }) => reason === 'untold');
    expect(told.map(({ type }) => type)).toEqual(['order.requested', 'order.settled']);
  });

  it('I6: an order of another host reaches this one’s own agents before the store has listed anybody', async () => {
    const state = memoryState();
    let isStuck = false;
    const stuck = patchedStore(state, {
      listAgents: (key, page) =>
        isStuck ? new Promise<never>(() => undefined) : state.listAgents(key, page),
    });
    const a = await harness({ state });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    const c = await harness({
      ...{ state: stuck, hostId: 'host-3', clock: a.clock, audit: a.audit },
      deadlines: { state: 400 },
    });
    const ofC = stepsOf(c);
    await b.agent('b1', { task: 't' });
    await c.agent('c1', { task: 't' });
    isStuck = true;
    const killing = a.ks.kill({ task: 't' }, request);
    // Less than a listing that is never answered is waited for.
    await a.clock.advance(100);
    expect(ofC).toContainEqual(expect.stringMatching(/signalled c1$/));
    expect(await a.during(3_000, killing)).toMatchObject({ killed: 2, failed: 0 });
  });

  it('the owner of an order settles it, once, and the other says nothing of it', async () => {
    const state = memoryState();
    const a = await harness({ state });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    const [ofA, ofB] = [stepsOf(a), stepsOf(b)];
    await b.agent('b1', { task: 't' });
    expect(await a.during(3_000, a.ks.kill({ task: 't' }, request))).toMatchObject({
      settled: true,
      killed: 1,
    });
    await a.clock.advance(3_000);
    expect(ofA.map((step) => step.replace(/^\d+ /, ''))).toEqual([
      'placed',
      'requested',
      'claimed b1',
      'settled',
    ]);
    expect(ofB.map((step) => step.replace(/^\d+ /, ''))).toEqual(['signalled b1', 'confirmed b1']);
    expect(a.events('agent.killed')).toHaveLength(1);
  });
});
