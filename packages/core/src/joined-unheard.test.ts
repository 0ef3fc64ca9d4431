import { expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { type Harness, harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

interface Circumstances {
  /** It joins only when the store is back after an outage. */
  readonly later?: boolean;
  readonly hold?: boolean;
  /** Whose the agent is. */
  readonly on?: 'owner' | 'joiner';
  /** The store has not taken it. */
  readonly refused?: boolean;
  /** What happens before the answer is lost. */
  readonly meanwhile?: (world: World) => Promise<unknown>;
}
interface World {
  readonly owner: Harness;
  readonly joiner: Harness;
  /** The only one that the stop finds. */
  readonly first: Handle;
  /** An agent in the scope that both hosts reach, and that nothing kills. */
  readonly spawn: (host: Harness, agentId: string) => Promise<Handle>;
  readonly end: (handle: Handle) => void;
}

/**
 * One host stops a workspace with a grace, and another one's kill joins that: the store takes it, says nothing, and is out for
 * that other host from then on.
 */
async function joinedUnheard({
  later = false,
  hold = false,
  on = 'owner',
  refused = false,
  meanwhile,
}: Circumstances) {
  const state = memoryState();
  const machine = memoryRuntime();
  const runtimes = { memory: { ...machine, reach: 'network' as const } };
  const owner = await harness({ state, runtimes });
  const { clock, audit } = owner;
  let isUnheard = false;
  const link = flakyStore(
    patchedStore(state, {
      swapOrder: async (order) => {
        if (isUnheard) return state.swapOrder(order);
        isUnheard = true;
        if (!refused) await state.swapOrder(order);
        await meanwhile?.(world);
        link.reach = 'down';
        throw new Error('connection reset');
      },
    }),
  );
  const joiner = await harness({ state: link.state, runtimes, clock, audit, hostId: 'host-2' });
  const spawn = async ({ ks }: Harness, agentId: string): Promise<Handle> => {
    await ks.admit({ agentId, taskId: agentId, workspaceId: 'w1', ownerId: 'alice', backendId: 'local' });
    const handle = machine.spawn('immortal');
    await ks.running(agentId, [handle]);
    return handle;
  };
  const first = await spawn(on === 'owner' ? owner : joiner, 'first');
  const world: World = { owner, joiner, first, spawn, end: machine.end };
  const stop = owner.ks.stop({ workspace: 'w1' }, { ...request, hold, graceMs: 3_600_000 });
  await clock.advance(10);
  if (later) link.reach = 'down';
  const kill = joiner.ks.kill({ workspace: 'w1' }, { ...request, reason: 'now', hold });
  await clock.advance(200);
  if (later) link.reach = 'up';
  await clock.advance(600);
  expect([isUnheard, link.reach]).toEqual([true, 'down']);
  return { ...world, state, clock, link, stop, kill };
}

const told = ({ events }: Harness) => ({
  requested: events('order.requested').map(({ reason }) => reason),
  joined: events('order.joined').map(({ reason, joinedOrderId }) => [reason, joinedOrderId]),
  settled: events('order.settled').map(({ reason, total }) => [reason, total]),
});

it.each<[string, string, Circumstances]>([
  ['at once', 'is still open', {}],
  ['at once', 'has settled', {}],
  ['after an outage', 'is still open', { later: true }],
  ['after an outage', 'has settled', { later: true }],
  ['for an agent of its own host', 'is still open', { on: 'joiner' }],
  ['for an agent of its own host', 'has settled', { on: 'joiner' }],
])('I7: who has joined a stop unheard, %s, has no order of its own once that %s', async (_, now, how) => {
  const { state, owner, joiner, clock, link, stop, kill, ...world } = await joinedUnheard(how);
  if (now === 'has settled') world.end(world.first);
  await clock.advance(2_000);
  expect(await state.listGates()).toHaveLength(now === 'has settled' ? 0 : 1);
  link.reach = 'up';
  await clock.advance(1_500);
  world.end(world.first);
  await clock.advance(5_000);
  const [{ orderId }, joined] = await Promise.all([stop, kill]);
  expect(joined).toMatchObject({ orderId, settled: true, stored: true, total: 1, killed: 1 });
  expect(told(owner)).toEqual({
    requested: ['drill', 'now'],
    joined: [['now', orderId]],
    settled: [['drill', 1]],
  });
  expect(await state.listGates()).toEqual([]);
  await expect(joiner.agent('later')).resolves.toBeDefined();
});

it('I7, I9: who has joined a stop unheard has no order of its own once that was released', async () => {
  const { state, owner, joiner, clock, link, stop, kill, ...world } = await joinedUnheard({ hold: true });
  world.end(world.first);
  await clock.advance(2_000);
  await owner.during(1_000, owner.ks.release({ workspace: 'w1' }, request));
  link.reach = 'up';
  await clock.advance(5_000);
  const [{ orderId }, joined] = await Promise.all([stop, kill]);
  expect(joined).toMatchObject({ orderId, settled: true });
  expect(told(owner)).toMatchObject({ joined: [['now', orderId]], settled: [['drill', 1]] });
  expect(await state.listGates()).toEqual([]);
  await expect(joiner.agent('later')).resolves.toBeDefined();
});

it('I9: has an order of its own if it has not joined after all', async () => {
  const { owner, clock, link, stop, kill, ...world } = await joinedUnheard({ refused: true });
  world.end(world.first);
  await owner.during(10_000, owner.ks.kill({ workspace: 'w1' }, { ...request, reason: 'harder' }));
  link.reach = 'up';
  await clock.advance(5_000);
  const [{ orderId }, alone] = await Promise.all([stop, kill]);
  expect(alone).toMatchObject({ settled: true, total: 0 });
  expect(told(owner)).toEqual({
    requested: ['drill', 'now', 'harder'],
    joined: [['harder', orderId]],
    settled: [
      ['drill', 1],
      ['now', 0],
    ],
  });
});

it('I4: has one for whom its host let in when the one that it joined was over, and has claimed since', async () => {
  const late: Handle[] = [];
  const { owner, clock, link, stop, kill, end } = await joinedUnheard({
    meanwhile: async (world) => {
      world.end(world.first);
      await new Promise<void>((resolve) =>
        world.owner.ks.on('step', ({ step }) => {
          if (step === 'settled') resolve();
        }),
      );
      late.push(await world.spawn(world.joiner, 'late'));
    },
  });
  for (const handle of late) end(handle);
  link.reach = 'up';
  await clock.advance(5_000);
  const [{ orderId }, joined] = await Promise.all([stop, kill]);
  expect(joined).toMatchObject({ settled: true, total: 1, killed: 1 });
  expect(told(owner)).toMatchObject({
    joined: [['now', orderId]],
    settled: [
      ['drill', 1],
      ['now', 1],
    ],
  });
});
