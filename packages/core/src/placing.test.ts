import { describe, expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { memoryState } from './memory/memory-state.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { StateStore } from './ports/state-store.ts';
import { alice, bob, harness, root } from './testing/harness.ts';
import { heapUsed } from './testing/heap.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

/** A store that can be cut off: every call rejects, or hangs, or takes effect and is not answered. */
function cutOff(real: StateStore = memoryState()) {
  const link = { mode: 'up' as 'up' | 'refuses' | 'hangs' | 'loses answers', calls: 0 };
  const store = new Proxy(real, {
    get: (target, name: keyof StateStore) => {
      if (target[name] === undefined) return undefined;
      const call = (target[name] as (...args: unknown[]) => unknown).bind(target);
      if (name === 'watch') return call;
      return async (...args: unknown[]) => {
        link.calls += 1;
        if (link.mode === 'refuses') throw new Error('connection refused');
        if (link.mode === 'hangs') return new Promise(() => undefined);
        const answer = await call(...args);
        return link.mode === 'loses answers' ? new Promise(() => undefined) : answer;
      };
    },
  });
  return { link, store, real };
}

describe('the same stop pressed again while the state store is out', () => {
  // After an unanswered call the store is left alone for a second.
  it.each([
    ['refuses', 1_000],
    ['hangs', 2_000],
  ] as const)(
    'I12: 3,000 presses on a store that %s keep less than 5 MB, and settle within %i ms of its return',
    async (mode, backMs) => {
      const { link, store, real } = cutOff();
      const counted = new Map<string, number>();
      const count = ({ type }: AuditEvent) => counted.set(type, (counted.get(type) ?? 0) + 1);
      const audit = {
        append: async (events: readonly AuditEvent[]) => events.forEach(count),
        async *read() {},
        heads: async () => [],
      } satisfies AuditSink;
      const h = await harness({ state: store, audit });
      const zombie = await h.agent('a1', { behaviour: 'immortal' });
      link.mode = mode;
      const before = heapUsed();
      let answered = 0;
      for (let n = 0; n < 3_000; n += 1) {
        const pressing = h.ks.kill({ agent: 'a1' }, { principal: alice, reason: `press ${n}`, waitMs: 0 });
        void pressing.then(({ stored, killed }) => {
          if (!stored && killed === 0) answered += 1;
        });
        if (n % 100 === 99) await h.clock.advance(20);
      }
      await h.clock.advance(1_000);
      expect(answered).toBe(3_000);
      expect((heapUsed() - before) / 1e6).toBeLessThan(5);
      expect(counted.get('order.requested')).toBe(3_000);
      const { gates, openOrders } = await h.ks.status();
      expect([gates.length, openOrders.length]).toEqual([1, 1]);

      h.runtime.end(zombie);
      link.mode = 'up';
      const calls = link.calls;
      await h.clock.advance(backMs);
      expect(await real.getAgent('a1')).toMatchObject({ status: 'killed' });
      expect(await real.listOpenOrders()).toEqual([]);
      expect(await real.listGates()).toEqual([]);
      expect(counted.get('order.joined')).toBe(2_999);
      expect(counted.get('order.settled')).toBe(1);
      expect(link.calls - calls).toBeLessThan(200);
    },
    30_000,
  );

  it('I7: joins the first in this host’s memory, each on record, and shuts one gate', async () => {
    const { link, store, real } = cutOff();
    const h = await harness({ state: store });
    const zombie = await h.agent('a1', { behaviour: 'immortal' });
    link.mode = 'refuses';
    const pressing = [];
    for (const reason of ['one', 'two', 'three']) {
      pressing.push(h.ks.emergencyStop({ principal: root, reason }));
      await h.clock.advance(100);
    }
    expect((await h.ks.status()).gates).toMatchObject([{ reason: 'one' }]);
    link.mode = 'up';
    await h.clock.advance(600);
    expect(await real.listGates()).toMatchObject([{ reason: 'one' }]);
    h.runtime.end(zombie);
    await h.clock.advance(1_000);
    const reports = await Promise.all(pressing);
    expect(new Set(reports.map(({ orderId }) => orderId)).size).toBe(1);
    for (const report of reports) expect(report).toMatchObject({ settled: true, killed: 1, stored: true });
    expect(h.events('order.requested').map(({ reason }) => reason)).toEqual(['one', 'two', 'three']);
    const [one, two] = h.events('order.requested').map(({ orderId }) => orderId);
    const joined = h.events('order.joined').map(({ reason, joinedOrderId }) => [reason, joinedOrderId]);
    expect(joined.sort()).toEqual([
      ['three', two],
      ['two', one],
    ]);
    expect(h.events('order.settled')).toHaveLength(1);
  });

  it('I7: a kill that joins a stop ends its grace, in memory and in the store', async () => {
    const { link, store, real } = cutOff();
    const h = await harness({ state: store });
    const handle = await h.agent('a1', { behaviour: 'immortal' });
    const demands: string[] = [];
    h.ks.on('step', ({ step, at }) => demands.push(`${step} ${at - start}`));
    link.mode = 'refuses';
    const start = h.clock.now();
    void h.ks.stop({ workspace: 'w1' }, { ...request, graceMs: 60_000, waitMs: 0 });
    await h.clock.advance(1_000);
    void h.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 });
    await h.clock.advance(2_000);
    expect(demands).toContain('forced 3000');
    link.mode = 'up';
    await h.clock.advance(600);
    expect(await real.listOpenOrders()).toMatchObject([{ killAt: start + 1_000, deadlineAt: start + 6_000 }]);
    h.runtime.end(handle);
    await h.clock.advance(1_000);
    expect(await real.listOpenOrders()).toEqual([]);
  });

  it('I9: is not lost if the first was stored without an answer and released by somebody else since', async () => {
    const { link, store, real } = cutOff();
    const h = await harness({ state: store });
    const other = await harness({ state: real, hostId: 'host-2', clock: h.clock, audit: h.audit });
    link.mode = 'loses answers';
    const first = h.ks.emergencyStop({ ...request, waitMs: 0 });
    await h.clock.advance(700);
    expect(await real.listGates()).toHaveLength(1);
    await h.during(5_000, other.ks.release({ everything: true }, request));
    expect(await real.listGates()).toHaveLength(0);
    const again = h.ks.emergencyStop({ principal: root, reason: 'again', waitMs: 0 });
    await h.clock.advance(700);
    await Promise.all([first, again]);
    link.mode = 'up';
    await h.clock.advance(3_000);
    expect(await real.listGates()).toMatchObject([{ reason: 'again' }]);
    expect(h.events('order.requested').map(({ reason }) => reason)).toEqual(['drill', 'again']);
    expect(h.events('order.settled')).toHaveLength(2);
    await expect(h.agent('a1')).rejects.toMatchObject({ code: 'gate-closed' });
  });
});

describe('the same stop pressed many times at once', () => {
  it('has one turn at the store and one that waits, whoever asks', async () => {
    const { link, store, real } = cutOff();
    const h = await harness({ state: store });
    await h.agent('a1', { task: 't', behaviour: 'immortal' });
    const calls = link.calls;
    const pressing = Array.from({ length: 50 }, (_, n) =>
      h.ks.kill({ task: 't' }, { principal: n % 2 === 0 ? alice : root, reason: `press ${n}`, waitMs: 0 }),
    );
    await h.clock.advance(5);
    const reports = await Promise.all(pressing);
    const [open] = await real.listOpenOrders();
    expect(reports.every(({ orderId }) => orderId === open?.orderId)).toBe(true);
    expect(h.events('order.requested')).toHaveLength(50);
    expect(h.events('order.joined').every(({ joinedOrderId }) => joinedOrderId === open?.orderId)).toBe(true);
    expect(h.events('order.joined')).toHaveLength(49);
    // 50 look for the task, 50 for a gate on it, and 50 read the order's agents for their report.
    expect(link.calls - calls).toBeLessThan(170);
  });

  it('I7: those that wait are as hard as the hardest of them', async () => {
    const { store, real } = cutOff();
    const h = await harness({ state: store });
    await h.agent('a1', { behaviour: 'immortal' });
    const start = h.clock.now();
    const graceful = { ...request, waitMs: 0 };
    for (const graceMs of [60_000, 50_000, 20_000, 30_000])
      void h.ks.stop({ workspace: 'w1' }, { ...graceful, graceMs });
    await h.clock.advance(5);
    expect(await real.listOpenOrders()).toMatchObject([
      { killAt: start + 20_000, forceAt: start + 22_000, deadlineAt: start + 25_000 },
    ]);
  });

  it('different stops do not wait for each other, nor join', async () => {
    const h = await harness();
    await h.agent('a1', { behaviour: 'immortal' });
    void h.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 });
    void h.ks.kill({ workspace: 'w1' }, { ...request, hold: true, waitMs: 0 });
    void h.ks.kill({ workspace: 'w2' }, { ...request, waitMs: 0 });
    await h.clock.advance(5);
    expect(await h.state.listGates()).toMatchObject([{ opens: 'at-settle' }, { opens: 'on-release' }]);
    expect(h.events('order.settled')).toMatchObject([{ workspaceId: 'w2' }]);
    expect(h.events('order.joined')).toEqual([]);
  });

  it('I11: whoever may not is refused also while others wait', async () => {
    const h = await harness();
    await h.agent('a1', { task: 't', behaviour: 'immortal' });
    const ours = h.ks.kill({ task: 't' }, { principal: alice, reason: 'mine', waitMs: 0 });
    const theirs = h.ks.kill({ task: 't' }, { principal: bob, reason: 'not mine', waitMs: 0 });
    await expect(theirs).rejects.toMatchObject({ code: 'forbidden' });
    await h.clock.advance(5);
    await ours;
    expect(h.events('order.requested')).toHaveLength(1);
  });

  it('a press that comes while the first is being placed does not take the word of an older answer', async () => {
    const real = memoryState();
    let isPlaced = (): void => undefined;
    let goOn = (): void => undefined;
    const placed = new Promise<void>((resolve) => {
      isPlaced = resolve;
    });
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isFirst = true;
    const store = patchedStore(real, {
      placeOrder: async (order) => {
        const placement = await real.placeOrder(order);
        if (isFirst) {
          isFirst = false;
          isPlaced();
          await going;
        }
        return placement;
      },
    });
    const h = await harness({ state: store });
    const other = await harness({ state: real, hostId: 'host-2', clock: h.clock, audit: h.audit });
    const first = h.ks.emergencyStop({ ...request, waitMs: 0 });
    await placed;
    await h.during(100, other.ks.release({ everything: true }, request));
    const second = h.ks.emergencyStop({ principal: root, reason: 'second', waitMs: 0 });
    await h.clock.advance(1);
    goOn();
    await h.clock.advance(5);
    await Promise.all([first, second]);
    expect(await real.listGates()).toMatchObject([{ reason: 'second' }]);
  });
});
