import { gateOf, type Scope, type StateStore, type StopOrder } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { agentOf, epoch, expectSame, orderOf, settled } from './state-store-records.ts';

export const orderClauses: readonly StateStoreClause[] = [
  clause('placeOrder stores the order, which is open, and the gate it shuts', async ({ store }) => {
    const order = orderOf('order', { task: 't' }, 'never');
    expectSame(await store.placeOrder(order), { placed: true }, 'the answer');
    expectSame(await store.getOrder('order'), order, 'the stored order');
    expectSame(await store.listOpenOrders(), [order], 'the open orders');
    expectSame(await store.listGates(), [gateOf(order)], 'the gates');
  }),

  clause(
    'getOrder gives a settled order too, and undefined for one that was never placed',
    async ({ store }) => {
      const order = orderOf('order', { task: 't' });
      await store.placeOrder(order);
      await store.swapOrder(settled(order));
      expectSame(await store.getOrder('order'), settled(order), 'the settled order');
      for (const id of ['another', 'toString', 't']) {
        expectThat((await store.getOrder(id)) === undefined, `there is no order "${id}"`);
      }
    },
  ),

  clause(
    'placeOrder joins an open order with the same scope and opens, and stores nothing (I7)',
    async ({ store }) => {
      const scopes: Scope[] = [
        { everything: true },
        { agent: 'x' },
        { task: 'x' },
        { workspace: 'x' },
        { backend: 'x' },
      ];
      for (const [at, scope] of scopes.entries()) {
        const first = orderOf(`first-${at}`, scope);
        await store.placeOrder(first);
        const answer = await store.placeOrder(orderOf(`again-${at}`, scope, 'at-settle', epoch + 1));
        expectSame(answer, { placed: false, open: first }, 'the answer');
        expectThat((await store.getOrder(`again-${at}`)) === undefined, 'the joining order is not stored');
        expectThat((await store.listGates()).length === at + 1, 'no second gate is shut');
        expectThat((await store.listOpenOrders()).length === at + 1, 'no second order is open');
      }
    },
  ),

  clause('placeOrder joins the open order as it was last stored', async ({ store }) => {
    const order = orderOf('order', { everything: true });
    await store.placeOrder(order);
    const shortened = { ...order, revision: 1, deadlineAt: order.deadlineAt - 1 };
    await store.swapOrder(shortened);
    expectSame(
      await store.placeOrder(orderOf('again', order.scope)),
      { placed: false, open: shortened },
      'the answer',
    );
  }),

  clause('placeOrder joins no order of another scope, with another opens, or settled', async ({ store }) => {
    const first = orderOf('first', { workspace: 'x' });
    await expectPlaced(store, first);
    await expectPlaced(store, orderOf('other-scope', { workspace: 'y' }));
    await expectPlaced(store, orderOf('other-kind', { backend: 'x' }));
    await expectPlaced(store, orderOf('harder', { workspace: 'x' }, 'on-release'));
    await store.swapOrder(settled(first));
    await expectPlaced(store, orderOf('after', { workspace: 'x' }));
  }),

  clause('placeOrder joins no open order that was released', async ({ store }) => {
    const first = orderOf('released', { backend: 'x' }, 'on-release');
    const by = { releaseId: 'release', at: first.requestedAt + 1, approvedBy: [first.principal] };
    const released = { ...first, revision: 1, released: by };
    await expectPlaced(store, first);
    await store.swapOrder(released);
    const latched = orderOf('latched', { backend: 'x' }, 'on-release');
    await expectPlaced(store, latched);
    expectSame(await store.listGates(), [gateOf(first), gateOf(latched)], 'the gates');
    expectSame(await store.listOpenOrders(), [released, latched], 'the open orders');
    const joining = await store.placeOrder(orderOf('joining', { backend: 'x' }, 'on-release'));
    expectSame(joining, { placed: false, open: latched }, 'the answer to a third');
  }),

  clause(
    'of orders racing for one scope, one is placed and the others join it',
    async ({ store, second }) => {
      const orders = Array.from({ length: 20 }, (_, at) => orderOf(`order-${at}`, { everything: true }));
      const answers = await Promise.all(
        orders.map((order, at) => (at % 2 === 0 ? store : second).placeOrder(order)),
      );
      const placed = orders.filter((_, at) => answers[at]?.placed === true);
      expectThat(placed.length === 1, `one of 20 is placed, not ${placed.length}`);
      for (const answer of answers) {
        expectThat(answer.placed || answer.open.orderId === placed[0]?.orderId, 'the others join that one');
      }
      expectSame(await store.listOpenOrders(), placed, 'the open orders');
      expectThat((await store.listGates()).length === 1, 'one gate is shut');
    },
  ),

  clause('swapOrder stores exactly the next revision of an order that is there', async ({ store }) => {
    const order = orderOf('order', { everything: true });
    await store.placeOrder(order);
    for (const revision of [0, 2]) {
      expectThat(
        !(await store.swapOrder({ ...order, revision, forceAt: 1 })),
        `revision ${revision} is refused`,
      );
    }
    expectThat(
      !(await store.swapOrder({ ...order, orderId: 'nobody', revision: 1 })),
      'an unknown order is refused',
    );
    expectSame(await store.getOrder('order'), order, 'the order after lost races');
    const next = { ...order, revision: 1, forceAt: 1 };
    expectThat(await store.swapOrder(next), 'the next revision wins');
    expectSame(await store.getOrder('order'), next, 'the order after a won race');
  }),

  clause('of changes racing from one revision of an order, one wins', async ({ store, second }) => {
    const order = orderOf('order', { everything: true });
    await store.placeOrder(order);
    const changes = Array.from({ length: 20 }, (_, at) => ({ ...order, revision: 1, forceAt: at }));
    const answers = await Promise.all(
      changes.map((next, at) => (at % 2 === 0 ? store : second).swapOrder(next)),
    );
    const winners = changes.filter((_, at) => answers[at]);
    expectThat(winners.length === 1, `one of 20 wins, not ${winners.length}`);
    expectSame(await store.getOrder('order'), winners[0], 'the stored order');
  }),

  clause('an order that is placed as settled shuts its gate and is not open', async ({ store }) => {
    const held = { ...orderOf('held', { workspace: 'w' }, 'on-release'), settledAt: epoch + 9 };
    expectSame(await store.placeOrder(held), { placed: true }, 'the answer');
    expectSame(await store.getOrder('held'), held, 'the order');
    expectSame(await store.listOpenOrders(), [], 'the open orders');
    const { result } = await store.admit(agentOf('late'));
    expectThat(result === 'gated', `its gate bars, it does not answer ${result}`);
    const again = orderOf('again', { workspace: 'w' }, 'on-release');
    expectSame(await store.placeOrder(again), { placed: true }, 'that for the next order');
  }),

  clause('listOpenOrders lists every order without settledAt, oldest first', async ({ store }) => {
    const orders = ['c', 'a', 'b', 'd'].map((id, at) => orderOf(id, { task: id }, 'at-settle', epoch + at));
    const [first, second, third, last] = orders as [StopOrder, StopOrder, StopOrder, StopOrder];
    for (const order of orders) await store.placeOrder(order);
    await store.swapOrder(settled(third));
    const next = { ...first, revision: 1 };
    await store.swapOrder(next);
    expectSame(await store.listOpenOrders(), [next, second, last], 'the open orders');
  }),
];

async function expectPlaced(store: StateStore, order: StopOrder): Promise<void> {
  const { placed } = await store.placeOrder(order);
  expectThat(placed, `order "${order.orderId}" is placed, not joined`);
}
