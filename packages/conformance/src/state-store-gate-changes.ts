import type { StateStore } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { expectSame, orderOf, settled } from './state-store-records.ts';

export const gateChangeClauses: readonly StateStoreClause[] = [
  clause(
    'a store that tells changes of gates tells every one that outlasts its order, and whether it stands',
    async ({ store, second }) => {
      if (store.gateChanges === undefined) return;
      await store.placeOrder(orderOf('before', { task: 'before' }, 'never'));
      const start = await store.gateChanges();
      expectSame(start.changes, [], 'the changes without a place');
      const hold = orderOf('hold', { workspace: 'w' }, 'on-release');
      const backend = orderOf('backend', { backend: 'b' }, 'on-release');
      const never = orderOf('never', { task: 't' }, 'never');
      for (const order of [hold, never, backend, orderOf('kill', { everything: true })])
        await second.placeOrder(order);
      await second.swapOrder(settled(hold));
      const { changes, place } = await store.gateChanges(start.place);
      const standing = [settled(hold), never, backend].map((order) => ({ order, stands: true }));
      expectSame(changes, standing, 'the changes');
      expectSame((await store.gateChanges(place)).changes, [], 'the changes since');
      await second.release(['backend', 'hold']);
      const later = await toldOf(store, place);
      expectSame(later, ['backend false', 'hold false'], 'the changes by a release');
      expectSame(
        await toldOf(store, start.place),
        ['backend false', 'hold false', 'never true'],
        'all changes',
      );
      const now = await store.gateChanges();
      expectSame((await store.gateChanges(now.place)).changes, [], 'the changes since now');
    },
  ),

  clause('changes of gates come in parts, none of them lost', async ({ store }) => {
    if (store.gateChanges === undefined) return;
    let { place } = await store.gateChanges();
    const ids = Array.from({ length: 1_300 }, (_, n) => `order-${n}`);
    await Promise.all(ids.map((id) => store.placeOrder(orderOf(id, { task: id }, 'never'))));
    const told: string[] = [];
    for (let more = 1; more > 0; ) {
      const part = await store.gateChanges(place);
      more = part.changes.length;
      expectThat(more <= 1_000, `1,000 changes at most, not ${more}`);
      told.push(...part.changes.map(({ order }) => order.orderId));
      place = part.place;
    }
    expectSame(told.sort(), ids.sort(), 'all changes');
  }),
];

async function toldOf(store: StateStore, place: string): Promise<string[]> {
  const changes = (await store.gateChanges?.(place))?.changes ?? [];
  return changes.map(({ order, stands }) => `${order.orderId} ${stands}`).sort();
}
