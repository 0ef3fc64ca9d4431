import { expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

it('I12: nobody is pursued who is dead on record, also if a host hears of that after the order has settled', async () => {
  const real = memoryState();
  const memory = memoryRuntime();
  const agents: Runtime = { ...memory, reach: 'network' };
  const demands: string[] = [];
  // To one host the runtime never says whether anybody lives, and the store shows it what is out of date.
  const mute: Runtime = {
    ...agents,
    force: async (handle, context) => {
      demands.push('force');
      await agents.force(handle, context);
    },
    inspect: () => new Promise<never>(() => undefined),
  };
  const old = new Map<string, Agent>();
  const state = patchedStore(real, {
    getAgent: async (agentId) => old.get(agentId) ?? real.getAgent(agentId),
  });
  const a = await harness({ state: real, runtimes: { memory: agents } });
  await harness({ state, runtimes: { memory: mute }, hostId: 'host-2', clock: a.clock, audit: a.audit });
  await a.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = memory.spawn('immortal');
  await a.ks.running('a1', [handle]);
  const kill = a.ks.kill({ task: 't' }, request);
  expect(await a.during(6_000, kill)).toMatchObject({ settled: false, failed: 1 });
  await a.clock.advance(1_000);
  const stored = await real.getAgent('a1');
  if (stored !== undefined) old.set('a1', stored);
  memory.end(handle);
  await a.clock.advance(3_000);
  expect(await real.listOpenOrders()).toEqual([]);
  await a.clock.advance(2_000);
  old.clear();
  await a.clock.advance(5_000);
  const before = demands.length;
  expect(before).toBeGreaterThan(0);
  await a.clock.advance(20_000);
  expect(demands).toHaveLength(before);
});
