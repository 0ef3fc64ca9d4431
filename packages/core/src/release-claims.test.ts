import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

it('I1: a release waits for the claims that are in the memory of its host alone: nobody else could make them after it', async () => {
  const store = memoryState();
  const cut = { isOn: false };
  const state = patchedStore(store, {
    swapAgents: (agents) =>
      cut.isOn ? Promise.reject(new Error('connection refused')) : store.swapAgents(agents),
  });
  const a = await harness({ state });
  await a.agent('a1', { behaviour: 'immortal' });
  cut.isOn = true;
  const { orderId } = await a.ks.emergencyStop({ ...request, waitMs: 0 });
  await a.clock.advance(500);
  expect(await store.getAgent('a1')).toMatchObject({ status: 'running' });

  await expect(a.ks.release({ everything: true }, request)).rejects.toMatchObject({
    code: 'state-unavailable',
    message: expect.stringContaining('Not released'),
  });
  expect(await store.listGates()).toHaveLength(1);
  expect((await store.getOrder(orderId))?.released).toBeUndefined();

  cut.isOn = false;
  expect(await a.ks.release({ everything: true }, request)).toMatchObject({ released: true });
  expect(await store.getAgent('a1')).toMatchObject({ status: 'killing', kill: { orderIds: [orderId] } });
});
