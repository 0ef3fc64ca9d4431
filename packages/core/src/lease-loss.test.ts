import { describe, expect, it } from 'vitest';
import { manualClock } from './memory/manual-clock.ts';
import { memoryState } from './memory/memory-state.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';

const lease = 15_000;

/** Two hosts on one store, the first over a link that can fail. */
async function twoHosts(more: { onLeaseLost?: 'keep' } = {}) {
  const real = memoryState();
  const link = flakyStore(real);
  const first = await harness({ state: link.state, ...more });
  const { clock } = first;
  const second = await harness({ state: real, hostId: 'host-2', clock });
  return { real, link, first, second, clock };
}

describe.each(['down', 'hung'] as const)('a store that is %s', (reach) => {
  it('I6: for the length of a lease costs this host its agents, on its own record, and no other host any', async () => {
    const { link, first, second, clock } = await twoHosts();
    const mine = [await first.agent('a1'), await first.agent('a2', { behaviour: 'stubborn' })];
    const other = await second.agent('b1');
    link.reach = reach;
    await clock.advance(lease - 1_500);
    expect(mine.map((handle) => first.runtime.isAlive(handle))).toEqual([true, true]);
    await clock.advance(1_500 + 2_000 + 2_500);
    expect(mine.map((handle) => first.runtime.isAlive(handle))).toEqual([false, false]);
    expect(second.runtime.isAlive(other)).toBe(true);
    expect(first.events('order.requested')).toMatchObject([
      { principal: { id: 'system:lease', kind: 'service' }, scope: { host: 'host-1' } },
    ]);
    expect(second.events('order.requested')).toEqual([]);
    expect(await first.ks.status()).toMatchObject({ gates: [{ scope: { host: 'host-1' } }] });
  });

  it('I4: after that everything is stored and settled once it is back, and the host admits again', async () => {
    const { real, link, first, clock } = await twoHosts();
    await first.agent('a1');
    link.reach = reach;
    await clock.advance(lease + 5_000);
    link.reach = 'up';
    await clock.advance(5_000);
    expect(await real.listOpenOrders()).toEqual([]);
    expect(await real.getAgent('a1')).toMatchObject({ status: 'killed' });
    for (const type of ['order.requested', 'agent.killed', 'order.settled'] as const)
      expect(first.events(type)).toHaveLength(1);
    await first.agent('a2');
    // A second outage is a second loss.
    link.reach = reach;
    await clock.advance(lease + 5_000);
    expect(first.events('order.requested')).toHaveLength(2);
  });

  it('for less than a lease costs nothing', async () => {
    const { link, first, clock } = await twoHosts();
    const mine = await first.agent('a1');
    for (let outage = 0; outage < 3; outage++) {
      link.reach = reach;
      await clock.advance(lease - 2_000);
      link.reach = 'up';
      await clock.advance(2_500);
    }
    expect(first.runtime.isAlive(mine)).toBe(true);
    expect(first.events('order.requested')).toEqual([]);
  });

  it('for however long leaves the agents of a host alone that keeps them, and warns', async () => {
    const { link, first, clock } = await twoHosts({ onLeaseLost: 'keep' });
    const warnings: string[] = [];
    first.ks.on('warning', ({ message }) => warnings.push(message));
    const mine = await first.agent('a1');
    link.reach = reach;
    await clock.advance(10 * lease);
    expect(first.runtime.isAlive(mine)).toBe(true);
    expect(warnings.filter((message) => message.includes('are kept'))).toHaveLength(1);
    link.reach = 'up';
    await clock.advance(3_000);
    expect(warnings.filter((message) => message.includes('answers again'))).toHaveLength(1);
  });
});

it('a clock that is set forward by an hour costs no agent: what counts is how long the store was silent', async () => {
  const manual = manualClock();
  const link = flakyStore(memoryState());
  let ahead = 0;
  const clock = { ...manual, now: () => manual.now() + ahead };
  const h = await harness({ state: link.state, clock });
  const mine = await h.agent('a1');
  link.reach = 'down';
  ahead = 3_600_000;
  await manual.advance(5_000);
  link.reach = 'up';
  await manual.advance(5_000);
  expect(h.runtime.isAlive(mine)).toBe(true);
});

it('a host that is closed renews nothing and stops nobody', async () => {
  const { link, first, clock } = await twoHosts();
  const mine = await first.agent('a1');
  await first.ks.close();
  link.reach = 'down';
  await clock.advance(3 * lease);
  expect(first.runtime.isAlive(mine)).toBe(true);
});

it('a host is a scope: a super admin stops what it has admitted, and nobody holds it shut', async () => {
  const { first, second, clock } = await twoHosts();
  const there = await second.agent('b1');
  const here = await first.agent('a1');
  const request = { principal: root, reason: 'that machine is to be replaced' };
  const report = await first.during(6_000, first.ks.kill({ host: 'host-2' }, request));
  expect(report).toMatchObject({ settled: true, killed: 1, outcomes: [{ agentId: 'b1' }] });
  expect(second.runtime.isAlive(there)).toBe(false);
  expect(first.runtime.isAlive(here)).toBe(true);
  await second.agent('b2');
  await expect(first.ks.kill({ host: 'host-2' }, { ...request, hold: true })).rejects.toMatchObject({
    code: 'invalid-input',
  });
  await clock.advance(10);
});
