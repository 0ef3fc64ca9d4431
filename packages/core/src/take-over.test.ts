import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

/** Three hosts on one store; the one that is asked to stop is cut off from it. */
async function cutOffKiller() {
  const real = memoryState();
  const link = flakyStore(real);
  const killer = await harness({ state: link.state });
  const { clock } = killer;
  const others = await Promise.all(
    ['host-2', 'host-3'].map((hostId) => harness({ state: real, hostId, clock })),
  );
  // Long enough that everybody has heard of everybody.
  await clock.advance(3_000);
  return { real, link, killer, others, clock };
}

it('I1: the stop of a host that fell silent is settled by another, by its deadline and two seconds', async () => {
  const { real, link, killer, others, clock } = await cutOffKiller();
  const there = await others[0]?.agent('b1', { behaviour: 'stubborn' });
  const kill = killer.ks.kill({ everything: true }, request);
  await clock.advance(50);
  link.reach = 'hung';
  const [order] = await real.listOpenOrders();
  await clock.advance((order?.deadlineAt ?? 0) + 2_000 - clock.now());
  expect(there && others[0]?.runtime.isAlive(there)).toBe(false);
  expect(await real.listOpenOrders()).toEqual([]);
  await kill;
});

it('I4: whoever fell silent and comes back settles nothing that was taken over: it looks first', async () => {
  const { real, link, killer, others, clock } = await cutOffKiller();
  const there = await others[0]?.agent('b1', { behaviour: 'immortal' });
  killer.ks.kill({ everything: true }, request).catch(() => undefined);
  await clock.advance(50);
  link.reach = 'hung';
  await clock.advance(10_000);
  const [taken] = await real.listOpenOrders();
  expect(['host-2', 'host-3']).toContain(taken?.hostId);
  if (there !== undefined) others[0]?.runtime.end(there);
  link.reach = 'up';
  await clock.advance(5_000);
  expect(await real.listOpenOrders()).toEqual([]);
  expect(killer.events('order.settled')).toEqual([]);
  expect(others.flatMap((other) => other.events('order.settled'))).toHaveLength(1);
});

it('I4: nor what has been settled meanwhile, also where nobody is left to be listed', async () => {
  const { real, link, killer, others, clock } = await cutOffKiller();
  const there = await others[0]?.agent('b1', { behaviour: 'immortal' });
  killer.ks.kill({ everything: true }, request).catch(() => undefined);
  await clock.advance(50);
  link.reach = 'hung';
  await clock.advance(10_000);
  if (there !== undefined) others[0]?.runtime.end(there);
  await clock.advance(4_000);
  expect(await real.listOpenOrders()).toEqual([]);
  link.reach = 'up';
  await clock.advance(5_000);
  expect(killer.events('order.settled')).toEqual([]);
  expect(others.flatMap((other) => other.events('order.settled'))).toHaveLength(1);
});

it('a host that was deaf itself takes nothing over: it has to hear that the others are silent', async () => {
  const { real, link, killer, others, clock } = await cutOffKiller();
  await others[0]?.agent('b1', { behaviour: 'immortal' });
  others[1]?.ks.kill({ everything: true }, request).catch(() => undefined);
  await clock.advance(50);
  link.reach = 'hung';
  await clock.advance(60_000);
  link.reach = 'up';
  await clock.advance(5_000);
  expect(await real.listOpenOrders()).toMatchObject([{ hostId: 'host-3' }]);
  expect((await killer.ks.status()).lostHosts).toEqual([]);
});

it('clocks that differ by more than a lease make nobody lost', async () => {
  const real = memoryState();
  const behind = await harness({ state: real });
  const manual = behind.clock;
  const clock = { ...manual, now: () => manual.now() + 60_000 };
  const ahead = await harness({ state: real, hostId: 'host-2', clock });
  await manual.advance(30_000);
  expect((await ahead.ks.status()).lostHosts).toEqual([]);
  await behind.ks.close();
  await manual.advance(4_000);
  expect((await ahead.ks.status()).lostHosts).toEqual(['host-1']);
});
