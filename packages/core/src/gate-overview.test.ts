import { expect, it } from 'vitest';
import type { Gate } from './gate.ts';
import { overviewOf } from './gate-overview.ts';
import { harness } from './testing/harness.ts';

const gate = (orderId: string, opens: Gate['opens']): Gate => ({
  ...{ orderId, scope: { task: orderId }, opens, reason: 'r', principal: { id: 'p', kind: 'user' } },
  shutAt: 1,
});
const gates = [
  ...[gate('a', 'on-release'), gate('b', 'never'), gate('c', 'never'), gate('d', 'at-settle')],
  ...[gate('e', 'never'), gate('f', 'on-release')],
];
const shown = (most: number) => overviewOf(gates, most).gates.map(({ orderId }) => orderId);

it('an overview of gates shows those that open some day first, then the newest, in their order, and counts all', () => {
  expect([1, 3, 4, 6, 7].map(shown)).toEqual([
    ['f'],
    ['a', 'd', 'f'],
    ['a', 'd', 'e', 'f'],
    ['a', 'b', 'c', 'd', 'e', 'f'],
    ['a', 'b', 'c', 'd', 'e', 'f'],
  ]);
  expect(overviewOf(gates, 2).count).toBe(6);
});

it('a status shows a thousand gates and says how many there are', async () => {
  const h = await harness();
  for (let n = 0; n < 1_002; n += 1) {
    const order = { orderId: `o${n}`, revision: 0, hostId: 'h', scope: { task: `t${n}` }, reason: 'r' };
    const rest = { principal: { id: 'p', kind: 'user' }, policyVersion: '1', opens: 'never' } as const;
    const times = { requestedAt: 1, killAt: 1, forceAt: 2, deadlineAt: 3, settledAt: 3 };
    await h.state.placeOrder({ ...order, ...rest, ...times });
  }
  const { gates, gateCount } = await h.ks.status();
  expect(gates).toHaveLength(1_000);
  expect(gates[0]).toMatchObject({ orderId: 'o2' });
  expect(gateCount).toBe(1_002);
});
