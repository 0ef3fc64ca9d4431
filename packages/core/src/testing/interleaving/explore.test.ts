import { describe, expect, it } from 'vitest';
import { type Commute, explore } from './explore.ts';
import { Turns } from './turns.ts';

/** Plays programs of so many calls each, and returns the orders that were gone through. */
async function ordersOf(programs: Record<string, number>, commute?: Commute) {
  const orders: string[] = [];
  const explored = await explore(async (choose) => {
    const turns = new Turns();
    turns.hold();
    for (const [host, calls] of Object.entries(programs)) {
      void (async () => {
        for (let call = 0; call < calls; call++) await turns.wait(host, 'x');
      })();
    }
    while (turns.waiting.length > 0) {
      const turn = choose(turns.waiting);
      if (turn === undefined) return;
      turns.take(turn);
      await new Promise((resolve) => setImmediate(resolve));
    }
    orders.push(turns.taken.map((key) => key.charAt(0)).join(''));
  }, commute);
  return { orders, ...explored };
}

describe('explore', () => {
  it('goes through every order, each once', async () => {
    const { orders, runs } = await ordersOf({ a: 2, b: 2 });
    expect(orders.sort()).toEqual(['aabb', 'abab', 'abba', 'baab', 'baba', 'bbaa']);
    expect(runs).toBe(6);
    const three = await ordersOf({ a: 3, b: 2, c: 1 });
    expect(new Set(three.orders).size).toBe(60);
    expect(three.runs).toBe(60);
  });

  it('leaves out what differs only in calls that commute', async () => {
    const areApart: Commute = (one, other) => one.host !== other.host;
    expect((await ordersOf({ a: 3, b: 3 }, areApart)).orders).toHaveLength(1);
    const { orders } = await ordersOf({ a: 1, b: 1, c: 1 }, (one, other) =>
      [one, other].some(({ host }) => host === 'a'),
    );
    expect(orders.map((order) => order.replace('a', '')).sort()).toEqual(['bc', 'cb']);
  });

  it('refuses what is not the same when it is played again', async () => {
    let count = 0;
    const run = explore(async (choose) => {
      const turns = new Turns();
      turns.hold();
      void turns.wait('a', `x${count++}`);
      void turns.wait('b', 'x');
      turns.take(choose(turns.waiting)!);
    });
    await expect(run).rejects.toThrow('Not replayable');
  });
});
