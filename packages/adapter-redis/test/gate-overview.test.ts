/** @services valkey */
import { expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { ownPrefix, storeOf } from './support/clients.ts';
import { orderOf } from './support/records.ts';

withService('valkey', 'VALKEY_URL', (url) => {
  it('an overview shows of the gates that stand what opens some day first, then the newest, and counts all', async () => {
    const store = storeOf(url, { prefix: ownPrefix(url) });
    const opens = ['on-release', 'never', 'never', 'at-settle', 'never', 'on-release', 'on-release'] as const;
    for (const [n, each] of opens.entries())
      await store.placeOrder(orderOf('abcdefg'.charAt(n), { task: `t${n}` }, each));
    await store.release(['g']);
    await store.swapOrder({ ...orderOf('b', { task: 't1' }, 'never'), revision: 1, settledAt: 9 });
    const shown = async (most: number) => {
      const { gates, count } = await store.gateOverview(most);
      return [count, ...gates.map(({ orderId }) => orderId)].join(' ');
    };
    expect(await shown(1)).toBe('6 f');
    expect(await shown(3)).toBe('6 a d f');
    expect(await shown(4)).toBe('6 a d e f');
    expect(await shown(9)).toBe('6 a b c d e f');
    await store.swapOrder({ ...orderOf('d', { task: 't3' }), revision: 1, settledAt: 9 });
    expect(await shown(2)).toBe('5 a f');
    expect((await store.gateOverview(1_000)).gates).toEqual(await store.listGates());
  });
});
