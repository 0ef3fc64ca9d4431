import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';
import { type Harness, harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

async function pairOn(state: StateStore): Promise<readonly [Harness, Harness]> {
  const asked = await harness({ state });
  return [asked, await harness({ state, hostId: 'host-2', clock: asked.clock })];
}

/** A later life of the host, on another store. */
function reborn({ audit, runtime }: Harness, hostId: string, state: StateStore) {
  return harness({ hostId, state, audit, runtimes: { memory: runtime } });
}

it.each(['emergencyStop', 'revokeBackend', 'kill'] as const)(
  'I1, I9: a store that was lost reopens no gate of %s: a host that only saw it puts it back',
  async (operation) => {
    const [asked, other] = await pairOn(memoryState());
    await asked.agent('a1', { task: 't' });
    await asked.during(
      6_000,
      operation === 'emergencyStop'
        ? asked.ks.emergencyStop(request)
        : operation === 'revokeBackend'
          ? asked.ks.revokeBackend('local', request)
          : asked.ks.kill({ task: 't' }, request),
    );
    await asked.clock.advance(1_100);
    await other.ks.close();
    const next = await reborn(other, 'host-2', memoryState());
    await expect(next.agent('a2', { task: 't', owner: 'alice' })).rejects.toMatchObject({
      code: 'gate-closed',
    });
    const stands = (await next.state.listGates()).map(({ orderId }) => orderId);
    expect(stands).toEqual(asked.events('order.requested').map(({ orderId }) => orderId));
    // On record as the host that was asked has it, under the same id, so that one sink has it once.
    expect(other.events('order.requested').map(({ id }) => id)).toEqual(
      asked.events('order.requested').map(({ id }) => id),
    );
  },
);

it('I9: a release that a host has seen is on its record too, as the same fact, and what it opened stays open', async () => {
  const [asked, other] = await pairOn(memoryState());
  await asked.during(6_000, asked.ks.emergencyStop(request));
  await asked.clock.advance(1_100);
  await asked.during(6_000, asked.ks.release({ everything: true }, request));
  await asked.clock.advance(1_100);
  const [own] = asked.events('gate.released');
  expect(other.events('gate.released')).toEqual([{ ...own, hostId: 'host-2', time: expect.any(String) }]);
  await other.ks.close();
  const next = await reborn(other, 'host-2', memoryState());
  await next.agent('a2');
});

it('I1: gates that stood before a host came for the first time are copied at its start', async () => {
  const state = memoryState();
  const asked = await harness({ state });
  await asked.during(6_000, asked.ks.emergencyStop(request));
  const late = await harness({ state, hostId: 'host-2', clock: asked.clock });
  await late.ks.close();
  const next = await reborn(late, 'host-2', memoryState());
  await expect(next.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
});

it('I1: a host that starts with one record for all puts back the stops of every host', async () => {
  const [asked] = await pairOn(memoryState());
  await asked.during(6_000, asked.ks.emergencyStop(request));
  const next = await reborn(asked, 'host-9', memoryState());
  await expect(next.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
});

it('a settled kill of a workspace is not asked for again after the store was lost', async () => {
  const [asked, other] = await pairOn(memoryState());
  await asked.agent('a1');
  await asked.during(6_000, asked.ks.kill({ workspace: 'w1' }, request));
  await asked.clock.advance(2_000);
  await other.ks.close();
  const next = await reborn(other, 'host-2', memoryState());
  const handle = await next.agent('a2');
  await next.clock.advance(3_000);
  expect(next.runtime.isAlive(handle)).toBe(true);
});

it('a store that tells no changes of gates is copied at the start', async () => {
  const real = memoryState();
  const asked = await harness({ state: real });
  await asked.during(6_000, asked.ks.emergencyStop(request));
  const state = new Proxy(real, {
    get: (target, name: keyof StateStore) =>
      name === 'gateChanges' ? undefined : target[name]?.bind(target),
  });
  const other = await harness({ state, hostId: 'host-2', clock: asked.clock });
  await asked.clock.advance(1_100);
  expect(other.events('order.requested')).toHaveLength(1);
});

it('a change that the record had no answer for is copied when the store answers again', async () => {
  const real = memoryState();
  let isDown = false;
  const state = patchedStore(real, {
    gateChanges: async (after) => {
      if (isDown) throw new Error('connection refused');
      return (await real.gateChanges?.(after)) ?? { changes: [], place: '' };
    },
  });
  const asked = await harness({ state: real });
  const other = await harness({ state, hostId: 'host-2', clock: asked.clock });
  isDown = true;
  await asked.during(6_000, asked.ks.emergencyStop(request));
  await asked.clock.advance(2_000);
  expect(other.events('order.requested')).toEqual([]);
  isDown = false;
  await asked.clock.advance(2_000);
  expect(other.events('order.requested')).toHaveLength(1);
});
