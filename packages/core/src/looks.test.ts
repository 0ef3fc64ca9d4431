import { expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { StopOrder } from './order.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Page } from './ports/state-store.ts';
import { countedTimers } from './testing/counted-timers.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { type Harness, harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

function warningsOf({ ks }: Harness): string[] {
  const warnings: string[] = [];
  ks.on('warning', ({ message }) => warnings.push(message));
  return warnings;
}

it('an outage of the store is no warning of its own, and is forgotten once the scope could be looked through', async () => {
  const link = flakyStore(memoryState());
  const h = await harness({ state: link.state });
  const steps: string[] = [];
  h.ks.on('step', ({ step }) => steps.push(step));
  const warnings = warningsOf(h);
  await h.agent('a1', { task: 't', behaviour: 'immortal' });
  link.reach = 'down';
  const kill = h.ks.kill({ task: 't' }, request);
  await h.clock.advance(2_000);
  expect(steps).not.toContain('placed');
  const { openOrders } = await h.ks.status();
  const during = await h.ks.report(openOrders[0]?.orderId ?? '');
  expect(during.errors.join()).toMatch(/not stored yet.*could be looked at/);
  link.reach = 'up';
  const report = await h.during(5_000, kill);
  expect(report.errors).toEqual([expect.stringContaining('"a1" is not confirmed dead')]);
  expect(steps).toContain('placed');
  expect(warnings).toEqual([]);
});

it('a record that cannot be read is a warning that names the order', async () => {
  const audit = memoryAudit();
  let isBroken = false;
  const read: AuditSink['read'] = (query) => {
    if (isBroken) throw new Error('disk error');
    return audit.read(query);
  };
  const state = memoryState();
  const first = await harness({ state, audit: { ...audit, read } });
  await first.agent('a1', { task: 't', behaviour: 'immortal' });
  const { orderId } = await first.ks.kill({ task: 't' }, { ...request, waitMs: 0 });
  await first.clock.advance(100);
  await first.ks.close();
  isBroken = true;
  const again = await harness({ state, audit: { ...audit, read }, clock: first.clock });
  const warnings = warningsOf(again);
  await first.clock.advance(3_000);
  expect(warnings).toContain(`Order "${orderId}": Error: disk error`);
});

it('I1: an answer at the deadline says that the first look still goes on', async () => {
  const real = memoryState();
  let isSlow = false;
  const slowPage = () =>
    new Promise<Page<Agent>>((resolve) => h.clock.setTimer(400, () => resolve({ items: [], cursor: 'on' })));
  const state = patchedStore(real, {
    listAgents: (key, page) => (isSlow ? slowPage() : real.listAgents(key, page)),
  });
  const h = await harness({ state });
  isSlow = true;
  const report = await h.during(5_000, h.ks.kill({ workspace: 'w1' }, request));
  expect(report).toMatchObject({ settled: false, total: 0 });
  expect(report.errors).toEqual(['Not every agent in scope could be looked at: that goes on']);
});

/** An order whose host is gone, and whose deadline has passed. */
const overdue = (now: number): StopOrder => ({
  orderId: 'ord_overdue',
  revision: 0,
  hostId: 'host-3',
  scope: { everything: true },
  opens: 'at-settle',
  principal: { id: 'root', kind: 'user' },
  reason: 'drill',
  policyVersion: 'roles',
  requestedAt: now - 9_000,
  killAt: now - 9_000,
  forceAt: now - 7_000,
  deadlineAt: now - 4_000,
});

it('I5: whoever joins an overdue stop is answered after the first look, however long the record takes to be read', async () => {
  const state = memoryState();
  const audit = memoryAudit();
  let isStuck = false;
  const read: AuditSink['read'] = async function* (query) {
    if (isStuck) await new Promise<never>(() => undefined);
    yield* audit.read(query);
  };
  const h = await harness({ state, audit: { ...audit, read }, hostId: 'host-2' });
  await h.agent('a1', { behaviour: 'immortal' });
  await h.clock.advance(4_000);
  isStuck = true;
  await state.placeOrder(overdue(h.clock.now()));
  await h.clock.advance(200);
  const report = await h.during(500, h.ks.kill({ everything: true }, request));
  expect(report).toMatchObject({ orderId: 'ord_overdue', settled: false, total: 1, failed: 1 });
});

it('a host whose lease is old, but that has just placed an order, keeps it for a while', async () => {
  const state = memoryState();
  let isCut = false;
  const cut = patchedStore(state, {
    renewLease: async (lease) => {
      if (isCut) throw new Error('connection refused');
      await state.renewLease(lease);
    },
  });
  const a = await harness({ state: cut });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
  await b.agent('b1', { task: 't', behaviour: 'immortal' });
  await a.clock.advance(3_000);
  isCut = true;
  await a.clock.advance(6_000);
  void a.ks.kill({ task: 't' }, { ...request, waitMs: 0 });
  await a.clock.advance(1_500);
  expect(await state.listOpenOrders()).toMatchObject([{ hostId: 'host-1' }]);
  await a.clock.advance(4_000);
  expect(await state.listOpenOrders()).toMatchObject([{ hostId: 'host-2' }]);
});

it('I4: a death that the store said it had taken, and has lost, is seen and stored anew', async () => {
  const real = memoryState();
  let isLossy = true;
  const state = patchedStore(real, {
    swapAgents: async (agents) => {
      const lost = isLossy && agents.some(({ agentId, status }) => agentId === 'easy' && status === 'killed');
      if (lost) isLossy = false;
      return lost ? agents.map(() => true) : real.swapAgents(agents);
    },
  });
  const h = await harness({ state });
  await h.agent('easy', { task: 't' });
  const other = await h.agent('other', { task: 't', behaviour: 'immortal' });
  const kill = h.ks.kill({ task: 't' }, request);
  await h.clock.advance(3_000);
  expect(isLossy).toBe(false);
  expect(await real.getAgent('easy')).toMatchObject({ status: 'killed' });
  h.runtime.end(other);
  expect(await h.during(6_000, kill)).toMatchObject({ settled: true, killed: 2 });
  expect(h.events('agent.killed')).toHaveLength(2);
});

it('an order that joins another of which there is a run here goes on in that one alone', async () => {
  const state = memoryState();
  let isDown = false;
  let listings = 0;
  const placing = patchedStore(state, {
    placeOrder: async (order) => {
      if (isDown) throw new Error('connection refused');
      return state.placeOrder(order);
    },
    listAgents: (key, page) => {
      listings += 1;
      return state.listAgents(key, page);
    },
  });
  const a = await harness({ state: placing });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
  const zombie = await a.agent('a1', { behaviour: 'immortal' });
  isDown = true;
  const one = a.ks.kill({ everything: true }, request);
  await a.clock.advance(100);
  void b.ks.kill({ everything: true }, { ...request, waitMs: 0 });
  await a.clock.advance(1_200);
  isDown = false;
  await a.clock.advance(1_500);
  listings = 0;
  await a.clock.advance(1_000);
  a.runtime.end(zombie);
  // Two looks a second, and one a second for cleanups.
  expect(listings).toBeLessThanOrEqual(4);
  expect(await a.during(6_000, one)).toMatchObject({ settled: true, stored: true, killed: 1, errors: [] });
});

it('I4: claims by an order that the store does not hold are kept from it until it does', async () => {
  const real = memoryState();
  let isDown = true;
  const state = patchedStore(real, {
    placeOrder: async (order) => {
      if (isDown) throw new Error('disk full');
      return real.placeOrder(order);
    },
  });
  const h = await harness({ state });
  const handle = await h.agent('a1', { task: 't', behaviour: 'immortal' });
  const kill = h.ks.kill({ task: 't' }, request);
  await h.clock.advance(3_000);
  expect(await h.ks.agent('a1')).toMatchObject({ status: 'running' });
  isDown = false;
  await h.clock.advance(1_500);
  expect(await real.getAgent('a1')).toMatchObject({ status: 'killing' });
  h.runtime.end(handle);
  expect(await h.during(3_000, kill)).toMatchObject({ settled: true, killed: 1 });
});

it.each(['down', 'hung'] as const)(
  'I6: this host’s agents die in time also where the store is %s as soon as it has taken the order',
  async (reach) => {
    const real = memoryState();
    const link = flakyStore(real);
    const state = patchedStore(link.state, {
      placeOrder: async (order) => {
        const placement = await real.placeOrder(order);
        link.reach = reach;
        return placement;
      },
    });
    const h = await harness({ state });
    const handle = await h.agent('a1', { task: 't', behaviour: 'stubborn' });
    const kill = h.ks.kill({ task: 't' }, request);
    await h.clock.advance(2_600);
    expect(h.runtime.isAlive(handle)).toBe(false);
    link.reach = 'up';
    expect(await h.during(5_000, kill)).toMatchObject({ settled: true, stored: true, killed: 1 });
  },
);

it('I12: nothing of a stop under way is left ticking in a host that is closed', async () => {
  const { clock, pending } = countedTimers();
  const h = await harness({ clock });
  await h.agent('a1', { task: 't', behaviour: 'immortal' });
  const kill = h.ks.kill({ task: 't' }, request);
  await clock.advance(6_000);
  await kill;
  const closing = h.ks.close();
  await clock.advance(1);
  await closing;
  expect(pending()).toBe(0);
});
