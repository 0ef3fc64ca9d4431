import { describe, expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { countedTimers } from './testing/counted-timers.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

/**
 * An order that one host has settled, and another one that is shown what is out of date: there the agent is still being
 * killed, and the runtime never says whether it lives.
 */
async function outdated() {
  const real = memoryState();
  const memory = memoryRuntime();
  const agents: Runtime = { ...memory, reach: 'network' };
  const seen = { demands: 0, reads: 0 };
  const mute: Runtime = {
    ...agents,
    force: async (handle, context) => {
      seen.demands += 1;
      await agents.force(handle, context);
    },
    inspect: () => new Promise<never>(() => undefined),
  };
  const old = new Map<string, Agent>();
  const state = patchedStore(real, {
    getAgent: async (agentId) => {
      seen.reads += 1;
      // Whoever asks all the time is not kept busy for ever.
      if (seen.reads > 1_000) old.clear();
      return old.get(agentId) ?? real.getAgent(agentId);
    },
  });
  const { clock, pending } = countedTimers();
  const a = await harness({ state: real, runtimes: { memory: agents }, clock });
  const b = await harness({ state, runtimes: { memory: mute }, hostId: 'host-2', clock, audit: a.audit });
  await clock.advance(500);
  const idle = pending();
  await a.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = memory.spawn('immortal');
  await a.ks.running('a1', [handle]);
  const kill = a.ks.kill({ task: 't' }, request);
  await clock.advance(6_000);
  expect(await kill).toMatchObject({ settled: false, failed: 1 });
  const stored = await real.getAgent('a1');
  if (stored !== undefined) old.set('a1', stored);
  memory.end(handle);
  await clock.advance(3_000);
  expect(await real.listOpenOrders()).toEqual([]);
  return { b, clock, seen, idle, pending, catchUp: () => old.clear() };
}

describe('a host that hears of a death only after the order has settled', () => {
  it('I12: pursues nobody any more who is dead on record', async () => {
    const { clock, seen, catchUp } = await outdated();
    await clock.advance(2_000);
    catchUp();
    await clock.advance(5_000);
    const before = seen.demands;
    expect(before).toBeGreaterThan(0);
    await clock.advance(20_000);
    expect(seen.demands).toBe(before);
  });

  it('asks for it ever more seldom, once a second at the least', async () => {
    const { clock, seen } = await outdated();
    seen.reads = 0;
    await clock.advance(20_000);
    expect(seen.reads).toBeGreaterThanOrEqual(18);
    expect(seen.reads).toBeLessThanOrEqual(30);
  });

  it('I12: has no timer of it left when it has heard', async () => {
    const { clock, idle, pending, catchUp } = await outdated();
    expect(pending()).toBeGreaterThan(idle);
    catchUp();
    await clock.advance(5_000);
    expect(pending()).toBe(idle);
  });

  it('asks no more once it is closed', async () => {
    const { b, clock, seen } = await outdated();
    const closing = b.ks.close();
    await clock.advance(1_000);
    await closing;
    seen.reads = 0;
    await clock.advance(10_000);
    expect(seen.reads).toBe(0);
  });
});
