import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import { alice, harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: alice, reason: 'again' };
const task = { task: 't' };

it('I12: however often a killed task is killed again, the one gate that stays is that of the first kill', async () => {
  const h = await harness();
  await h.agent('a1', task);
  const first = await h.during(6_000, h.ks.kill(task, request));
  for (let n = 0; n < 5; n++) {
    const again = await h.during(6_000, n % 2 === 0 ? h.ks.kill(task, request) : h.ks.stop(task, request));
    expect(again).toMatchObject({ settled: true, total: 0 });
    expect(again.orderId).not.toBe(first.orderId);
  }
  expect(await h.ks.status()).toMatchObject({
    gateCount: 1,
    gates: [{ orderId: first.orderId, opens: 'never' }],
  });
  await expect(h.agent('a2', task)).rejects.toMatchObject({
    code: 'gate-closed',
    gate: { orderId: first.orderId },
  });
  expect(h.events('order.requested')).toHaveLength(6);
  expect(h.events('order.settled')).toHaveLength(6);
});

it('I7: while the first kill is open, later ones join it; after it, they join each other', async () => {
  const state = memoryState();
  const a = await harness({ state });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
  const handle = await a.agent('a1', { ...task, behaviour: 'immortal' });
  const now = { ...request, waitMs: 0 };
  const first = await a.ks.kill(task, now);
  for (const { ks } of [a, b]) expect(await ks.kill(task, now)).toMatchObject({ orderId: first.orderId });
  a.runtime.end(handle);
  await a.clock.advance(2_000);
  const both = await a.during(6_000, Promise.all([a.ks.kill(task, request), b.ks.kill(task, request)]));
  expect(both[0]?.orderId).toBe(both[1]?.orderId);
  expect(both[0]).toMatchObject({ settled: true });
  expect(await state.listGates()).toMatchObject([{ orderId: first.orderId, opens: 'never' }]);
});

it.each(['listGates', 'getOrder'] as const)(
  'I1: without an answer to %s a killed task that is killed again has one gate more',
  async (call) => {
    const real = memoryState();
    let isOut = false;
    const refuse = async (): Promise<never> => {
      isOut = false;
      throw new Error('connection refused');
    };
    const state = patchedStore(real, {
      listGates: (on) => (isOut && call === 'listGates' ? refuse() : real.listGates(on)),
      getOrder: (orderId) => (isOut && call === 'getOrder' ? refuse() : real.getOrder(orderId)),
    });
    const h = await harness({ state });
    await h.agent('a1', task);
    await h.during(6_000, h.ks.kill(task, request));
    await h.clock.advance(2_000);
    isOut = true;
    await h.during(6_000, h.ks.kill(task, request));
    await h.clock.advance(5_000);
    expect(await real.listGates()).toHaveLength(2);
    await expect(h.agent('a2', task)).rejects.toMatchObject({ code: 'gate-closed' });
  },
);

it('I1: an agent that is over can be killed as long as a handle of it that came later is not seen dead', async () => {
  const h = await harness();
  await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  await h.ks.failed('a1', 'no handle came');
  const late = h.runtime.spawn('immortal');
  await h.ks.running('a1', [late]);
  const kill = { principal: root, reason: 'drill' };
  const report = await h.during(6_000, h.ks.kill({ agent: 'a1' }, kill));
  expect(report).toMatchObject({ settled: false, total: 0 });
  expect(report.errors).toEqual([expect.stringContaining('"a1" is on record as failed, and a handle of it')]);
  h.runtime.end(late);
  await h.clock.advance(3_000);
  expect(await h.ks.report(report.orderId)).toMatchObject({ settled: true, errors: [] });
  await expect(h.ks.kill({ agent: 'a1' }, kill)).rejects.toMatchObject({ code: 'invalid-transition' });
});
