import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Clock } from './ports/clock.ts';
import { type Harness, harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };
const hourMs = 3_600_000;

/** A clock that goes as `clock` does, so much ahead of it, or behind. */
const ahead = (clock: ManualClock, ms: number): Clock => ({ ...clock, now: () => clock.now() + ms });

describe('a clock that was ahead in an earlier life of its host, and is right in this one', () => {
  it('leaves no lease by which the host is silent, and never lost', async () => {
    const state = memoryState();
    const clock = manualClock();
    const first = await harness({ state, clock: ahead(clock, hourMs) });
    await first.ks.close();
    const other = await harness({ state, hostId: 'host-2', clock });
    const again = await harness({ state, clock });
    await again.agent('a1', { behaviour: 'immortal' });
    const { orderId } = await again.ks.kill({ agent: 'a1' }, { ...request, waitMs: 0 });
    await clock.advance(30_000);
    expect(await state.getOrder(orderId)).toMatchObject({ hostId: 'host-1' });
    expect((await other.ks.status()).lostHosts).toEqual([]);
    await again.ks.close();
    await clock.advance(17_000);
    expect((await other.ks.status()).lostHosts).toEqual(['host-1']);
    expect(await state.getOrder(orderId)).toMatchObject({ hostId: 'host-2' });
  });

  it('leaves no failed cleanup step untried for longer than the longest pause', async () => {
    const state = memoryState();
    const clock = manualClock();
    let fails = true;
    let runs = 0;
    const run = async () => {
      runs += 1;
      if (fails) throw new Error('disk full');
    };
    const cleanup = [{ name: 's', appliesTo: () => true, run }];
    const first = await harness({ state, cleanup, clock: ahead(clock, hourMs) });
    await first.agent('a1');
    void first.ks.kill({ agent: 'a1' }, request);
    await clock.advance(3_000);
    await first.ks.close();
    fails = false;
    runs = 0;
    const again = await harness({ state, clock, cleanup });
    await clock.advance(2_000);
    expect(runs).toBe(1);
    expect((await again.ks.agent('a1')).ledger).toMatchObject([{ status: 'done' }]);
  });

  it('leaves nobody unlooked for whose handle it could not tell any more (I3)', async () => {
    const state = memoryState();
    const clock = manualClock();
    const first = await harness({ state, clock: ahead(clock, hourMs) });
    await first.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await first.ks.kill({ task: 't' }, { ...request, waitMs: 0 });
    await first.ks.close();
    const runtime = { ...memoryRuntime(), reach: 'machine' as const, locate: async () => [] };
    const again = await harness({ state, clock, runtimes: { memory: runtime } });
    await clock.advance(3_000);
    expect(await again.ks.agent('a1')).toMatchObject({ status: 'killed' });
    await again.ks.admit({ agentId: 'a2', taskId: 't2', workspaceId: 'w1', ownerId: 'alice' });
    await again.ks.kill({ agent: 'a2' }, { ...request, waitMs: 0 });
    await clock.advance(3_000);
    // Of this life: it may be starting right now.
    expect(await again.ks.agent('a2')).toMatchObject({ status: 'killing' });
  });

  it('leaves its open stop with no more time than it had', async () => {
    const state = memoryState();
    const clock = manualClock();
    const first = await harness({ state, clock: ahead(clock, hourMs) });
    const other = await harness({ state, hostId: 'host-2', clock });
    const stubborn = await other.agent('a1', { behaviour: 'stubborn' });
    await first.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 });
    await first.ks.close();
    await harness({ state, clock });
    await clock.advance(4_000);
    expect(other.runtime.isAlive(stubborn)).toBe(false);
  });
});

/** A small generator of chance (mulberry32): each case can be seen again by its number. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Three hosts whose clocks differ by up to ten minutes; one is asked to stop, another perhaps to kill while that goes on. */
async function differing(seed: number) {
  const random = chance(seed);
  const clock = manualClock();
  const state = memoryState();
  const audit = memoryAudit();
  const hosts: Harness[] = [];
  for (const hostId of ['host-1', 'host-2', 'host-3'])
    hosts.push(await harness({ state, audit, hostId, clock: ahead(clock, random(1_200_001) - 600_000) }));
  const [asked, joined] = [hosts[random(3)] as Harness, hosts[random(3)] as Harness];
  const living: Array<{ isAlive: () => boolean; isStubborn: boolean }> = [];
  for (const [n, host] of hosts.entries())
    for (const behaviour of ['cooperative', 'stubborn'] as const) {
      const handle = await host.agent(`${behaviour}-${n}`, { behaviour });
      living.push({ isAlive: () => host.runtime.isAlive(handle), isStubborn: behaviour === 'stubborn' });
    }
  const graceMs = random(2) * (1 + random(20_000));
  const joinMs = random(2) * (1 + random(5_000));
  const wait = { ...request, waitMs: 0 };
  if (graceMs === 0) await asked.ks.kill({ workspace: 'w1' }, wait);
  else await asked.ks.stop({ workspace: 'w1' }, { ...wait, graceMs });
  await clock.advance(joinMs);
  if (joinMs > 0) await joined.ks.kill({ workspace: 'w1' }, wait);
  return { clock, living, graceMs, joinMs };
}

// What a host needs to hear of an order, to sweep, and to look.
const slackMs = 1_200;

it('I1, I7: however the clocks of hosts differ, a stop that was asked for on one forces on all within its own time', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const { clock, living, graceMs, joinMs } = await differing(seed);
    const left = joinMs > 0 ? 0 : graceMs;
    await clock.advance(left + slackMs);
    expect({ seed, alive: living.filter((each) => !each.isStubborn && each.isAlive()) }).toEqual({
      seed,
      alive: [],
    });
    await clock.advance(2_000);
    expect({ seed, alive: living.filter((each) => each.isAlive()) }).toEqual({ seed, alive: [] });
  }
}, 60_000);
