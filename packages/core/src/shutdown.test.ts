import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import { harness } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const newcomer = { agentId: 'late', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

it('stops what this host has admitted, after the grace, on record, whatever the authorizer says', async () => {
  const { ks, agent, during, runtime, events } = await harness({
    authorizer: { decide: () => ({ effect: 'deny', reason: 'never', policyVersion: 'p' }) },
  });
  const graceful = await agent('graceful', { behaviour: 'graceful' });
  const stubborn = await agent('stubborn', { behaviour: 'stubborn' });
  const report = await during(20_000, ks.shutdown({ reason: 'SIGTERM', graceMs: 1_000 }));
  expect(report).toMatchObject({ settled: true, total: 2, killed: 2, scope: { host: 'host-1' } });
  expect([graceful, stubborn].map((handle) => runtime.isAlive(handle))).toEqual([false, false]);
  const [first] = report.outcomes.filter(({ agentId }) => agentId === 'stubborn');
  expect(first!.forcedAt! - first!.requestedAt).toBeGreaterThanOrEqual(3_000);
  expect(events('order.requested')).toMatchObject([
    { operation: 'stop-host', principal: { id: 'system:shutdown', kind: 'service' }, reason: 'SIGTERM' },
  ]);
  expect(events('order.settled')).toHaveLength(1);
});

it('admits nobody any more, also when its order has settled and its gate in the store is open again (I1)', async () => {
  const { ks, during } = await harness();
  await during(5_000, ks.shutdown({ reason: 'SIGTERM' }));
  expect((await ks.status()).gates).toEqual([]);
  await expect(ks.admit(newcomer)).rejects.toMatchObject({
    ...{ code: 'gate-closed', gate: { scope: { host: 'host-1' }, reason: 'SIGTERM' } },
  });
});

it('turns back who was on the way in while the whole stop passed by (I1)', async () => {
  const inner = memoryState();
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const state = patchedStore(inner, {
    async admit(agent) {
      arrived.resolve();
      await go.promise;
      return inner.admit(agent);
    },
  });
  const { ks, during } = await harness({
    state,
    deadlines: { state: 10_000, forceAfter: 11_000, confirmWithin: 12_000 },
  });
  const admitted = ks.admit(newcomer);
  admitted.catch(() => undefined);
  await arrived.promise;
  expect(await during(5_000, ks.shutdown({ reason: 'SIGTERM' }))).toMatchObject({ settled: true, total: 0 });
  go.resolve();
  await expect(admitted).rejects.toMatchObject({ code: 'gate-closed' });
  expect(await ks.agent('late')).toMatchObject({ status: 'failed', handles: [] });
});

it('asked for again it joins; with a shorter grace it hardens (I7)', async () => {
  const { ks, agent, during, clock, events } = await harness();
  await agent('cooperative');
  const since = clock.now();
  const first = ks.shutdown({ reason: 'SIGTERM', graceMs: 60_000 });
  await clock.advance(100);
  expect((await ks.agent('cooperative')).status).toBe('killing');
  const second = await during(5_000, ks.shutdown({ reason: 'SIGINT', graceMs: 0 }));
  expect(await during(100, first)).toMatchObject({ orderId: second.orderId, settled: true, killed: 1 });
  expect(clock.now() - since).toBeLessThan(5_000);
  expect(events('order.requested').map(({ reason }) => reason)).toEqual(['SIGTERM', 'SIGINT']);
  expect(events('order.joined')).toHaveLength(1);
});

it('leaves other hosts alone', async () => {
  const state = memoryState();
  const first = await harness({ state });
  const second = await harness({ state, hostId: 'host-2', clock: first.clock });
  const handle = await second.agent('there');
  expect(await first.during(5_000, first.ks.shutdown({ reason: 'SIGTERM' }))).toMatchObject({ total: 0 });
  expect(second.runtime.isAlive(handle)).toBe(true);
  await second.ks.admit(newcomer);
});

it('is refused for want of a reason, or for a grace that is none', async () => {
  const { ks } = await harness();
  await expect(ks.shutdown({ reason: ' ' })).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(ks.shutdown({ reason: 'r', graceMs: -1 })).rejects.toMatchObject({ code: 'invalid-input' });
  await ks.admit(newcomer);
});
