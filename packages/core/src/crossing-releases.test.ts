import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const everything = { everything: true } as const;
const asks = (reason: string) => ({ principal: root, reason });

it('I4: a release whose gates another one has opened before it could is on no record as having opened them', async () => {
  const state = memoryState();
  const first = await harness({ state });
  let cross: (() => Promise<unknown>) | undefined;
  const crossed = patchedStore(state, {
    // Between the second one's look at the gates and its look at their orders.
    getOrder: async (orderId) => {
      const crossing = cross?.();
      cross = undefined;
      await crossing;
      return state.getOrder(orderId);
    },
  });
  const second = await harness({ state: crossed, hostId: 'host-2', clock: first.clock });
  await first.during(6_000, first.ks.emergencyStop(asks('drill')));
  await first.clock.advance(1_100);
  cross = () => first.ks.release(everything, asks('first'));
  const report = await second.ks.release(everything, asks('second'));
  // Each sees on the feed of gate changes what the other has done.
  await first.clock.advance(1_100);
  expect(report).toMatchObject({ released: true, gates: [] });
  for (const host of [first, second])
    expect(host.events('gate.released').map(({ reason }) => reason)).toEqual(['first']);
});

it('I4: a release whose gates another one opens for it is answered what its record says', async () => {
  const state = memoryState();
  let openFirst: (() => void) | undefined;
  const held = patchedStore(state, {
    release: async (orderIds) => {
      await new Promise<void>((resolve) => {
        openFirst = resolve;
      });
      return state.release(orderIds);
    },
  });
  const first = await harness({ state: held });
  const second = await harness({ state, hostId: 'host-2', clock: first.clock });
  await first.during(6_000, first.ks.emergencyStop(asks('drill')));
  await first.clock.advance(1_100);
  const answer = first.ks.release(everything, asks('first'));
  while (openFirst === undefined) await first.clock.advance(1);
  const late = await second.ks.release(everything, asks('second'));
  openFirst?.();
  const early = await answer;
  await first.clock.advance(1_100);
  expect([early.gates.length, late.gates.length]).toEqual([1, 1]);
  for (const host of [first, second])
    expect(new Set(host.events('gate.released').map(({ reason }) => reason))).toContain('first');
  expect(second.events('gate.released').map(({ reason }) => reason)).toContain('second');
  await expect(second.agent('a1')).resolves.toBeDefined();
});

it('I1, I9: a stop whose placing has not been answered yet is not released from under the host that places it', async () => {
  const state = memoryState();
  let isMute = true;
  const mute = patchedStore(state, {
    placeOrder: async (order) => {
      const placement = await state.placeOrder(order);
      return isMute ? new Promise(() => undefined) : placement;
    },
  });
  const h = await harness({ state: mute });
  const stop = h.ks.emergencyStop(asks('drill'));
  await h.clock.advance(10);
  // The store shows the gate: it could be opened now, and this host would not know.
  expect(await state.listGates()).toHaveLength(1);
  const early = h.ks.release(everything, asks('too soon'));
  await expect(h.during(3_000, early)).rejects.toMatchObject({ code: 'state-unavailable' });
  expect(await state.listGates()).toHaveLength(1);
  isMute = false;
  expect(await h.during(6_000, stop)).toMatchObject({ stored: true });
  await h.clock.advance(1_100);
  expect(await h.ks.release(everything, asks('now'))).toMatchObject({ released: true });
  await h.agent('a1');
  await h.clock.advance(1_100);
  expect(await h.ks.agent('a1')).toMatchObject({ status: 'running' });
});
