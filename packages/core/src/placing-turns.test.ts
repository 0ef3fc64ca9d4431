import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { harness, root } from './testing/harness.ts';
import { collectGarbage } from './testing/heap.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

it('a stop that is asked for twice at once, and later again, kills whoever has come since', async () => {
  const h = await harness();
  const all = { workspace: 'w1' };
  for (const round of ['first', 'second', 'third']) {
    const handle = await h.agent(round);
    const both = Promise.all([h.ks.kill(all, request), h.ks.kill(all, request), h.ks.kill(all, request)]);
    for (const report of await h.during(2_000, both))
      expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(h.runtime.isAlive(handle)).toBe(false);
  }
});

it('I12: however long the store takes, what is asked for again and again waits in one line of two', async () => {
  const real = memoryState();
  let placings = 0;
  const state = patchedStore(real, {
    placeOrder: async (order) => {
      placings += 1;
      await new Promise<void>((resolve) => h.clock.setTimer(300, resolve));
      return real.placeOrder(order);
    },
  });
  const h = await harness({ state });
  await h.agent('a1', { behaviour: 'immortal' });
  for (let n = 0; n < 30; n++) {
    void h.ks.kill({ workspace: 'w1' }, { ...request, reason: `press ${n}`, waitMs: 0 });
    await h.clock.advance(5);
  }
  await h.clock.advance(3_000);
  expect(placings).toBe(2);
  expect(h.events('order.requested')).toHaveLength(30);
  expect(await real.listOpenOrders()).toHaveLength(1);
});

it('I12: nothing of a stop is kept once it is over', async () => {
  const real = memoryState();
  const orders: WeakRef<object>[] = [];
  const state = patchedStore(real, {
    placeOrder: async (order) => {
      orders.push(new WeakRef(order));
      return real.placeOrder(structuredClone(order));
    },
    swapOrder: (order) => real.swapOrder(structuredClone(order)),
  });
  const h = await harness({ state });
  for (let n = 0; n < 20; n++) {
    const scope = { workspace: `w${n}` };
    await h.agent(`a${n}`, { ...scope, behaviour: n % 2 === 0 ? 'cooperative' : 'stubborn' });
    const [first] = await h.during(
      4_000,
      Promise.all([h.ks.kill(scope, request), h.ks.kill(scope, request)]),
    );
    expect(first).toMatchObject({ settled: true, killed: 1 });
  }
  await h.clock.advance(5_000);
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(orders.length).toBeGreaterThanOrEqual(20);
  expect(orders.filter((order) => order.deref() !== undefined).length).toBeLessThanOrEqual(2);
});

/** When its request was on record, and when the first demand was made, in milliseconds since the stop was asked for. */
async function recordedIn(ms: number) {
  const audit = memoryAudit();
  const seen = { requested: Number.NaN, killed: Number.NaN };
  const memory = memoryRuntime();
  const h = await harness({
    audit: {
      ...audit,
      append: async (events: readonly AuditEvent[]) => {
        await new Promise<void>((resolve) => h.clock.setTimer(ms, resolve));
        await audit.append(events);
        if (events.some(({ type }) => type === 'order.requested')) seen.requested = h.clock.now() - start;
      },
    },
    runtimes: {
      memory: {
        ...memory,
        kill: async (handle, context) => {
          seen.killed = h.clock.now() - start;
          await memory.kill(handle, context);
        },
      },
    },
  });
  await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  await h.ks.running('a1', [memory.spawn()]);
  const start = h.clock.now();
  await h.during(5_000, h.ks.kill({ task: 't' }, request));
  return seen;
}

it('I4: nobody is told to die before the request is on record', async () => {
  expect(await recordedIn(60)).toEqual({ requested: 60, killed: 60 });
});

it('I5: but for no longer than 100 ms', async () => {
  expect(await recordedIn(900)).toEqual({ requested: 900, killed: 100 });
});
