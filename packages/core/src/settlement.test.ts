import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Placement, StateStore } from './ports/state-store.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

it('I1: a released order does not settle while somebody whom it claimed lives, also if a listing is older than the claim', async () => {
  const real = memoryState();
  const old = new Map<string, Awaited<ReturnType<StateStore['getAgent']>>>();
  const state = patchedStore(real, {
    listAgents: async (key, page) => {
      const found = await real.listAgents(key, page);
      return { ...found, items: found.items.map((agent) => old.get(agent.agentId) ?? agent) };
    },
  });
  const h = await harness({ state });
  const handle = await h.agent('a1', { behaviour: 'immortal' });
  const before = await real.getAgent('a1');
  const kill = h.ks.kill({ workspace: 'w1' }, { ...request, hold: true });
  await h.clock.advance(100);
  await h.during(1_000, h.ks.release({ workspace: 'w1' }, request));
  old.set('a1', before);
  const report = await h.during(6_000, kill);
  expect(h.runtime.isAlive(handle)).toBe(true);
  expect(report).toMatchObject({ settled: false, total: 1, failed: 1 });
  old.clear();
  h.runtime.end(handle);
  await h.clock.advance(6_000);
  expect(await real.listOpenOrders()).toEqual([]);
  expect(h.events('agent.killed')).toMatchObject([{ agentId: 'a1' }]);
});

it('I1, I4: an order that was stored without an answer, and released by another host since, settles all the same', async () => {
  const real = memoryState();
  const link = { isSilent: false, isDown: false };
  const state = patchedStore(real, {
    getOrder: async (orderId) => {
      if (link.isDown) throw new Error('connection refused');
      return real.getOrder(orderId);
    },
    placeOrder: async (order): Promise<Placement> => {
      const placement = await real.placeOrder(order);
      if (link.isSilent) throw new Error('connection reset');
      return placement;
    },
  });
  const a = await harness({ state });
  const b = await harness({ state: real, hostId: 'host-2', clock: a.clock, audit: a.audit });
  const handle = await a.agent('a1', { behaviour: 'immortal' });
  Object.assign(link, { isSilent: true, isDown: true });
  const kill = a.ks.kill({ everything: true }, { ...request, hold: true });
  await a.clock.advance(100);
  await a.during(1_000, b.ks.release({ everything: true }, request));
  Object.assign(link, { isSilent: false, isDown: false });
  await a.during(6_000, kill);
  a.runtime.end(handle);
  await a.clock.advance(6_000);
  expect(await real.listOpenOrders()).toEqual([]);
  expect(a.events('agent.killed')).toMatchObject([{ agentId: 'a1' }]);
  expect(a.events('order.settled')).toHaveLength(1);
});

it('I4: an order stays open, and its gate shut, until its settlement is durable on record', async () => {
  const audit = memoryAudit();
  const append = audit.append.bind(audit);
  let isFull = true;
  const full = async (events: readonly AuditEvent[]): Promise<void> => {
    if (isFull && events.some(({ type }) => type === 'order.settled')) throw new Error('disk full');
    await append(events);
  };
  const h = await harness({ audit: { ...audit, append: full } });
  await h.agent('a1');
  const report = await h.during(6_000, h.ks.kill({ workspace: 'w1' }, request));
  expect(report).toMatchObject({ settled: false, killed: 1 });
  expect(await h.state.listGates()).toHaveLength(1);
  await expect(h.agent('a2')).rejects.toMatchObject({ code: 'audit-unavailable' });
  isFull = false;
  await h.clock.advance(6_000);
  expect(await h.state.listOpenOrders()).toEqual([]);
  await h.agent('a2');
  expect(audit.events().filter(({ type }) => type === 'order.settled')).toHaveLength(1);
});

it('I1: whoever joins a stop that is overdue is told who is not confirmed dead, once this host has looked', async () => {
  const real = memoryState();
  const lost = await harness({ state: real });
  const { clock, during } = lost;
  const at = clock.now();
  await lost.agent('a1', { behaviour: 'immortal' });
  await lost.ks.close();
  let isSlow = false;
  const state = patchedStore(real, {
    listOpenOrders: async () => [],
    listAgents: async (key, page) => {
      if (isSlow) await new Promise<void>((resolve) => clock.setTimer(150, resolve));
      return real.listAgents(key, page);
    },
  });
  const h = await harness({ state, clock, hostId: 'host-2' });
  isSlow = true;
  // Restored after the crash of a host that could reach neither the store nor anybody.
  await real.placeOrder({
    orderId: 'ord_restored',
    revision: 0,
    hostId: 'host-3',
    scope: { everything: true },
    opens: 'at-settle',
    principal: { id: 'root', kind: 'user' },
    reason: 'drill',
    policyVersion: 'roles',
    requestedAt: at - 9_000,
    killAt: at - 9_000,
    forceAt: at - 7_000,
    deadlineAt: at - 4_000,
  });
  const early = await during(100, h.ks.kill({ everything: true }, { ...request, waitMs: 0 }));
  expect(early.errors[0]).toContain('Not every agent in scope could be looked at');
  const wait = { ...request, waitMs: 400 };
  const [patient, report] = await during(
    500,
    Promise.all([h.ks.kill({ everything: true }, wait), h.ks.kill({ everything: true }, request)]),
  );
  const named = { orderId: 'ord_restored', settled: false, total: 1, failed: 1 };
  expect(patient).toMatchObject(named);
  expect(report).toMatchObject(named);
});

it('I12: a closed killswitch takes up no order, also if it was about to look for some', async () => {
  const state = memoryState();
  const a = await harness({ state });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
  const steps: string[] = [];
  b.ks.on('step', ({ step }) => steps.push(step));
  const handle = await b.agent('b1');
  await b.ks.close();
  await a.during(6_000, a.ks.kill({ everything: true }, request));
  expect(steps).toEqual([]);
  expect(b.runtime.isAlive(handle)).toBe(true);
});

it('I1, I9: a stop that could not join another, since the store fell silent, claims nobody for that one: it may be over', async () => {
  const real = memoryState();
  const state = patchedStore(real, {
    swapOrder: (order) =>
      order.settledAt === undefined ? new Promise<never>(() => undefined) : real.swapOrder(order),
  });
  const h = await harness({ state });
  const last = await h.agent('last');
  const first = h.ks.stop({ everything: true }, request);
  await h.clock.advance(100);
  const [order] = await real.listOpenOrders();
  const second = h.ks.kill({ everything: true }, request);
  await h.clock.advance(100);
  h.runtime.end(last);
  expect(await h.during(3_000, first)).toMatchObject({ settled: true, orderId: order?.orderId });
  await h.agent('newcomer');
  await h.during(6_000, second);
  await h.clock.advance(6_000);
  const agent = await real.getAgent('newcomer');
  const orderIds = agent !== undefined && 'kill' in agent ? agent.kill.orderIds : [];
  expect(orderIds).not.toContain(order?.orderId);
});

it('I1: an answer given while the scope is looked through for the first time since an outage says that it was not', async () => {
  const real = memoryState();
  const link = { isDown: false, isSlow: false };
  const state = patchedStore(real, {
    listAgents: async (key, page) => {
      if (link.isDown) throw new Error('connection refused');
      return real.listAgents(key, page);
    },
    listOrder: async (orderId, page) => {
      const found = await real.listOrder(orderId, page);
      if (link.isSlow) await new Promise<void>((resolve) => b.clock.setTimer(400, resolve));
      return found;
    },
  });
  const b = await harness({ state: real, hostId: 'host-2' });
  const a = await harness({ state, clock: b.clock });
  await b.agent('b1', { behaviour: 'immortal' });
  await b.ks.close();
  link.isDown = true;
  const kill = a.ks.kill({ everything: true }, request);
  await b.clock.advance(4_900);
  link.isSlow = true;
  await b.clock.advance(200);
  link.isDown = false;
  const report = await b.during(3_000, kill);
  expect(report.errors[0]).toContain('Not every agent in scope could be looked at');
});
