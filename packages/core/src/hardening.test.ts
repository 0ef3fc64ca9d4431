import { describe, expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import type { ManualClock } from './memory/manual-clock.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime, RuntimeContext } from './ports/runtime.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill', waitMs: 0 };
const workspace = { workspace: 'w1' };

/** A runtime of an agent that never dies, and what was demanded of it at what time. */
function demanding() {
  const demands: string[] = [];
  const clock: { now?: ManualClock['now'] } = {};
  const memory = memoryRuntime();
  const start = Date.UTC(2026, 0, 1);
  const note =
    (demand: 'stop' | 'kill' | 'force') =>
    async (handle: Handle, context: RuntimeContext): Promise<void> => {
      demands.push(`${(clock.now?.() ?? start) - start} ${demand}`);
      await memory[demand]?.(handle, context);
    };
  const runtime: Runtime = { ...memory, stop: note('stop'), kill: note('kill'), force: note('force') };
  const killAt = (): number => Number.parseInt(demands.find((each) => each.endsWith('kill')) ?? '', 10);
  return { runtime, memory, clock, killAt };
}

describe('I7: a kill that joins a stop under way ends its grace', () => {
  it('at once, where the order is in the store', async () => {
    const { runtime, memory, clock, killAt } = demanding();
    const h = await harness({ runtimes: { memory: runtime } });
    clock.now = h.clock.now;
    await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await h.ks.running('a1', [memory.spawn('immortal')]);
    void h.ks.stop(workspace, { ...request, graceMs: 60_000 });
    await h.clock.advance(1_047);
    void h.ks.kill(workspace, request);
    await h.clock.advance(500);
    expect(killAt()).toBe(1_047);
  });

  it('at once, while the store is out', async () => {
    const { runtime, memory, clock, killAt } = demanding();
    const link = flakyStore(memoryState());
    const h = await harness({ runtimes: { memory: runtime }, state: link.state });
    clock.now = h.clock.now;
    await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await h.ks.running('a1', [memory.spawn('immortal')]);
    link.reach = 'down';
    void h.ks.stop(workspace, { ...request, graceMs: 60_000 });
    await h.clock.advance(1_047);
    void h.ks.kill(workspace, request);
    await h.clock.advance(500);
    expect(killAt()).toBe(1_047);
  });

  it('on another host that no hint reaches and that cannot list open orders, at its next look at the scope', async () => {
    const { runtime, memory, clock, killAt } = demanding();
    const state = memoryState();
    let isDeaf = false;
    const deaf = patchedStore(state, {
      listOpenOrders: async () => {
        if (isDeaf) throw new Error('connection refused');
        return state.listOpenOrders();
      },
      watch: () => () => undefined,
    });
    const a = await harness({ runtimes: { memory: runtime }, state: deaf });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    clock.now = a.clock.now;
    await a.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await a.ks.running('a1', [memory.spawn('immortal')]);
    void a.ks.stop(workspace, { ...request, graceMs: 60_000 });
    await a.clock.advance(1_000);
    isDeaf = true;
    void b.ks.kill(workspace, request);
    await a.clock.advance(600);
    expect(killAt()).toBeLessThanOrEqual(1_600);
  });

  it('on another host that a hint reaches, as soon as that has come', async () => {
    const { runtime, memory, clock, killAt } = demanding();
    const state = memoryState();
    const a = await harness({ runtimes: { memory: runtime }, state });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    clock.now = a.clock.now;
    await a.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await a.ks.running('a1', [memory.spawn('immortal')]);
    void a.ks.stop(workspace, { ...request, graceMs: 60_000 });
    await a.clock.advance(1_030);
    void b.ks.kill(workspace, request);
    await a.clock.advance(500);
    expect(killAt()).toBeLessThanOrEqual(1_052);
  });

  it('of the many that came while the store lost its answers, the hardest counts there too', async () => {
    const real = memoryState();
    let isMute = false;
    const state = new Proxy(real, {
      get: (target, name: keyof typeof real) => {
        if (target[name] === undefined) return undefined;
        const call = (target[name] as (...args: unknown[]) => unknown).bind(target);
        if (name === 'watch') return call;
        return async (...args: unknown[]) => {
          const answer = await call(...args);
          return isMute ? new Promise(() => undefined) : answer;
        };
      },
    });
    const h = await harness({ state });
    await h.agent('a1', { behaviour: 'immortal' });
    const start = h.clock.now();
    isMute = true;
    void h.ks.stop(workspace, { ...request, graceMs: 60_000 });
    await h.clock.advance(1_000);
    void h.ks.stop(workspace, { ...request, graceMs: 50_000 });
    await h.clock.advance(100);
    void h.ks.kill(workspace, request);
    await h.clock.advance(100);
    expect(await real.listOpenOrders()).toMatchObject([{ killAt: start + 60_000 }]);
    isMute = false;
    await h.clock.advance(3_000);
    const open = await real.listOpenOrders();
    expect(Math.min(...open.map(({ killAt }) => killAt))).toBe(start + 1_100);
  });
});
