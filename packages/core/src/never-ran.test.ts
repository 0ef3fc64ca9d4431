import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };
const unstarted = { agentId: 'unstarted', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

it('I4: who never ran is on record as killed at once, though somebody whom nothing can force keeps the order open', async () => {
  const h = await harness();
  const immortal = await h.agent('immortal', { task: 't', behaviour: 'immortal' });
  await h.ks.admit(unstarted);
  const kill = h.ks.kill({ task: 't' }, request);
  await h.clock.advance(100);
  expect(await h.ks.failed('unstarted', new Error('no room'))).toBe(false);
  await h.clock.advance(0);
  const { orderId } = (await h.state.listOpenOrders())[0] ?? {};
  expect(h.events('agent.killed')).toMatchObject([{ agentId: 'unstarted', orderId, hostId: 'host-1' }]);
  h.runtime.end(immortal);
  await h.during(6_000, kill);
  await h.clock.advance(1_000);
  expect(h.events('agent.killed').map(({ agentId }) => agentId)).toEqual(['unstarted', 'immortal']);
});

it('I4: nor does it wait where its host has not heard of the stop', async () => {
  const state = memoryState();
  const deaf = patchedStore(state, { watch: () => () => undefined, listOpenOrders: async () => [] });
  const h = await harness({ state });
  const owner = await harness({ state: deaf, hostId: 'host-2', clock: h.clock, audit: h.audit });
  await h.agent('immortal', { task: 't', behaviour: 'immortal' });
  await owner.ks.admit(unstarted);
  void h.ks.kill({ task: 't' }, { ...request, waitMs: 0 });
  await h.clock.advance(100);
  expect(await owner.ks.failed('unstarted', new Error('no room'))).toBe(false);
  await h.clock.advance(1_000);
  expect(h.events('agent.killed')).toMatchObject([{ agentId: 'unstarted', hostId: 'host-1' }]);
  expect(await state.listOpenOrders()).toHaveLength(1);
});

it('I4: it is on record also while the state store is down', async () => {
  const real = memoryState();
  const store = { isDown: false };
  const unlessDown =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (store.isDown) throw new Error('connection refused');
      return call(...args);
    };
  const state = patchedStore(real, {
    getAgent: unlessDown((agentId) => real.getAgent(agentId)),
    swapAgents: unlessDown((agents) => real.swapAgents(agents)),
    listAgents: unlessDown((key, page) => real.listAgents(key, page)),
    placeOrder: unlessDown((order) => real.placeOrder(order)),
  });
  const h = await harness({ state });
  await h.agent('immortal', { task: 't', behaviour: 'immortal' });
  await h.ks.admit(unstarted);
  store.isDown = true;
  void h.ks.kill({ everything: true }, { ...request, waitMs: 0 });
  await h.clock.advance(100);
  expect(await h.ks.failed('unstarted', new Error('no room'))).toBe(false);
  await h.clock.advance(0);
  expect(h.events('agent.killed')).toMatchObject([{ agentId: 'unstarted' }]);
  store.isDown = false;
  await h.clock.advance(6_000);
  expect((await real.getAgent('unstarted'))?.status).toBe('killed');
  expect(h.events('agent.killed')).toHaveLength(1);
});
