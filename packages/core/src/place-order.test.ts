import { describe, expect, it } from 'vitest';
import { Book } from './book.ts';
import { GuardedEvents } from './events.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryState } from './memory/memory-state.ts';
import type { StopOrder } from './order.ts';
import { placeOrder } from './place-order.ts';
import type { StateStore } from './ports/state-store.ts';
import { patchedStore } from './testing/patched-store.ts';

const at = Date.UTC(2026, 0, 1);
const order = (orderId: string, change: Partial<StopOrder> = {}): StopOrder => ({
  orderId,
  revision: 0,
  hostId: 'host-1',
  scope: { everything: true },
  opens: 'at-settle',
  principal: { id: 'ada', kind: 'user' },
  reason: 'drill',
  policyVersion: 'p/1',
  requestedAt: at,
  killAt: at + 100,
  forceAt: at + 200,
  deadlineAt: at + 300,
  ...change,
});

/** As it stands in the order whose deadlines it has brought nearer. */
const hardener = ({ orderId, hostId, principal, reason, policyVersion, requestedAt, ...rest }: StopOrder) => {
  const { killAt, forceAt, deadlineAt } = rest;
  return { orderId, hostId, principal, reason, policyVersion, requestedAt, killAt, forceAt, deadlineAt };
};

const place = (store: StateStore, asked: StopOrder, joining: (open: StopOrder) => void = () => undefined) =>
  placeOrder(new Book(store, manualClock(), new GuardedEvents(), 'host-1', 500), asked, joining);

describe('placeOrder', () => {
  it('places what is asked for first', async () => {
    const store = memoryState();
    expect(await place(store, order('one'))).toEqual({ placed: true });
    expect(await store.getOrder('one')).toEqual(order('one'));
  });

  it('leaves an order as it is that is asked for again, and not sooner (I7)', async () => {
    const store = memoryState();
    await store.placeOrder(order('one'));
    const later = { killAt: at + 101, forceAt: at + 201, deadlineAt: at + 301 };
    for (const [n, change] of [{}, later].entries()) {
      expect(await place(store, order(`again-${n}`, change))).toEqual({
        placed: false,
        open: order('one'),
      });
    }
    expect(await store.getOrder('one')).toEqual(order('one'));
  });

  it.each(['killAt', 'forceAt', 'deadlineAt'] as const)(
    'takes over a sooner %s, and nothing later (I7)',
    async (name) => {
      const store = memoryState();
      await store.placeOrder(order('one'));
      const by = order('two', { killAt: at + 101, forceAt: at + 201, deadlineAt: at + 301, [name]: at + 50 });
      const open = order('one', { [name]: at + 50, revision: 1, hardenedBy: [hardener(by)] });
      expect(await place(store, by)).toEqual({ placed: false, open });
      expect(await store.getOrder('one')).toEqual(open);
    },
  );

  it('stores anew an order that a release could open, so that the release on its way sees it (I9)', async () => {
    const store = memoryState();
    const held = { opens: 'on-release' as const };
    await store.placeOrder(order('one', held));
    const open = order('one', { ...held, revision: 1, joins: 1 });
    expect(await place(store, order('two', held))).toEqual({ placed: false, open });
    expect(await store.getOrder('one')).toEqual(open);
  });

  it('keeps who has brought its deadlines nearer, the newest sixteen (I4, I12)', async () => {
    const store = memoryState();
    await store.placeOrder(order('one'));
    for (let n = 0; n < 20; n++) await place(store, order(`by-${n}`, { killAt: at + 50 - n }));
    const kept = (await store.getOrder('one'))?.hardenedBy?.map(({ orderId }) => orderId);
    expect(kept).toEqual(Array.from({ length: 16 }, (_, n) => `by-${n + 4}`));
  });

  it('is itself the order that was stored without an answer', async () => {
    const store = memoryState();
    await store.placeOrder(order('one'));
    const again = await place(store, order('one', { deadlineAt: at + 1 }));
    expect(again).toEqual({ placed: false, open: order('one') });
    expect((await store.getOrder('one'))?.revision).toBe(0);
  });
});

describe('joining', () => {
  /** Somebody stores the order in between, the first time that it is joined. */
  async function raced(change: Partial<StopOrder>, held: Partial<StopOrder> = {}) {
    const real = memoryState();
    await real.placeOrder(order('one', held));
    let isFirst = true;
    const store = patchedStore(real, {
      swapOrder: async (next) => {
        if (isFirst) await real.swapOrder(order('one', { ...held, ...change, revision: 1 }));
        isFirst = false;
        return real.swapOrder(next);
      },
    });
    const by = order('two', { ...held, deadlineAt: at + 50 });
    return {
      by,
      placement: await place(store, by),
      stored: await real.getOrder('one'),
      real,
    };
  }
  const held = { opens: 'on-release' as const };
  const released = { releaseId: 'rel', at, approvedBy: [] };

  it('goes on from what somebody else has stored in between', async () => {
    const { placement, stored, by } = await raced({ forceAt: at + 150 });
    const nearer = { forceAt: at + 150, deadlineAt: at + 50 };
    const open = order('one', { ...nearer, revision: 2, hardenedBy: [hardener(by)] });
    expect([placement, stored]).toEqual([{ placed: false, open }, open]);
  });

  it('takes an order as it is that has settled in between and bars nobody', async () => {
    const { placement } = await raced({ settledAt: at + 9 });
    expect(placement).toEqual({ placed: false, open: order('one', { settledAt: at + 9, revision: 1 }) });
  });

  it.each([
    ['settled', { settledAt: at + 9 }],
    ['been released', { released }],
  ])(
    'places an order of its own where the one that it would join has %s in between (I9)',
    async (_, change) => {
      const { placement, real } = await raced(change, held);
      expect(placement).toEqual({ placed: true });
      expect(await real.getOrder('two')).toMatchObject({ deadlineAt: at + 50 });
    },
  );

  it.each([
    ['is gone', undefined],
    ['is older than it was', order('one')],
  ])('takes the order as it was found where what is stored %s', async (_, stored) => {
    const real = memoryState();
    await real.placeOrder(order('one'));
    const store = patchedStore(real, { swapOrder: async () => false, getOrder: async () => stored });
    const placement = await place(store, order('two', { killAt: at }));
    expect(placement).toEqual({ placed: false, open: order('one') });
  });

  it.each([
    ['has stored it', 1],
    ['has not', 0],
  ])(
    'is not placed where the store fails and %s, and says before what it would join',
    async (_, revision) => {
      const real = memoryState();
      await real.placeOrder(order('one'));
      const told: string[] = [];
      const store = patchedStore(real, {
        swapOrder: async (next) => {
          told.push('stored');
          if (revision > 0) await real.swapOrder(next);
          throw new Error('connection reset');
        },
      });
      const placing = place(store, order('two', { killAt: at }), ({ orderId }) => told.push(orderId));
      await expect(placing).rejects.toMatchObject({ code: 'state-unavailable' });
      expect(told).toEqual(['one', 'stored']);
      expect((await real.getOrder('one'))?.revision).toBe(revision);
    },
  );

  it('says nothing of an order that nothing is stored of', async () => {
    const store = memoryState();
    const told: string[] = [];
    for (const orderId of ['one', 'two'])
      await place(store, order(orderId), (open) => told.push(open.orderId));
    expect(told).toEqual([]);
  });
});
