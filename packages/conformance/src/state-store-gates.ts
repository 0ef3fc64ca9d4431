import { type Gate, gateOf, type StateStore, type StopOrder } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { admitted, agentOf, epoch, expectSame, orderOf, settled } from './state-store-records.ts';

export const gateClauses: readonly StateStoreClause[] = [
  clause('settling an order lifts its gate if that opens at-settle', async ({ store }) => {
    const order = orderOf('order', { workspace: 'w' });
    await store.placeOrder(order);
    await expectSettles(store, order);
    expectSame(await store.listGates(), [], 'the gates');
    await admitted(store, agentOf('a'));
  }),

  clause('a gate that opens on-release or never outlives its order’s settling', async ({ store }) => {
    const orders = [orderOf('1', { workspace: 'w' }, 'on-release'), orderOf('2', { task: 't' }, 'never')];
    for (const order of orders) await store.placeOrder(order);
    for (const order of orders) await expectSettles(store, order);
    expectSame(await store.listGates(), orders.map(gateOf), 'the gates');
    await expectShut(store, agentOf('a'));
    await expectShut(store, agentOf('b', { workspaceId: 'w2', taskId: 't' }));
  }),

  clause(
    'a change that does not settle the order, or that loses its race, lifts no gate',
    async ({ store }) => {
      const order = orderOf('order', { workspace: 'w' });
      await store.placeOrder(order);
      expectThat(
        !(await store.swapOrder({ ...settled(order), revision: 2 })),
        'a lost race is answered false',
      );
      expectThat(await store.swapOrder({ ...order, revision: 1 }), 'a change is stored');
      expectSame(await store.listGates(), [gateOf(order)], 'the gates');
      expectThat((await store.listOpenOrders()).length === 1, 'the order is open');
      await expectShut(store, agentOf('a'));
    },
  ),

  clause('a scope is shut while any gate on it stands', async ({ store }) => {
    const [kill, stop] = [
      orderOf('kill', { everything: true }),
      orderOf('stop', { everything: true }, 'on-release'),
    ];
    await store.placeOrder(stop);
    await store.placeOrder(kill);
    await expectSettles(store, kill);
    await expectShut(store, agentOf('a'));
    await store.placeOrder(orderOf('kill-2', { everything: true }));
    await store.release(['stop']);
    await expectShut(store, agentOf('a'));
  }),

  clause('listGates lists every gate that stands, oldest first', async ({ store }) => {
    const orders = ['c', 'a', 'b', 'd'].map((id, at) => orderOf(id, { task: id }, 'at-settle', epoch + at));
    for (const order of orders) await store.placeOrder(order);
    await expectSettles(store, orders[2] as StopOrder);
    const gates = orders.filter((_, at) => at !== 2).map(gateOf);
    expectSame(await store.listGates(), gates, 'the gates');
  }),

  clause('listGates with a scope key lists the gates on that very scope, oldest first', async ({ store }) => {
    const scopes = [{ task: 'a' }, { everything: true }, { task: 'a' }, { agent: 'a' }] as const;
    const orders = scopes.map((scope, at) =>
      orderOf(`${9 - at}`, scope, at === 0 ? 'never' : 'on-release', epoch + at),
    );
    for (const order of orders) await store.placeOrder(order);
    const [first, all, second, agent] = orders.map(gateOf);
    expectSame(await store.listGates('task:a'), [first, second], 'the gates of the task');
    expectSame(await store.listGates('everything'), [all], 'the gates of everything');
    expectSame(await store.listGates('agent:a'), [agent], 'the gates of the agent');
    expectSame(await store.listGates('task:b'), [], 'the gates of another task');
    await store.release(['7']);
    expectSame(await store.listGates('task:a'), [first], 'the gates of the task after a release');
  }),

  clause(
    'release removes and returns the gates of its orders that open on-release, and no others',
    async ({ store }) => {
      const held = [
        orderOf('1', { workspace: 'w' }, 'on-release', epoch + 1),
        orderOf('2', { workspace: 'w' }, 'never', epoch + 2),
        orderOf('3', { workspace: 'w' }, 'at-settle', epoch + 3),
        orderOf('4', { backend: 'w' }, 'on-release', epoch + 4),
        orderOf('5', { everything: true }, 'on-release', epoch + 5),
      ];
      for (const order of held) await store.placeOrder(order);
      const [mine, ...others] = held as [StopOrder, ...StopOrder[]];
      expectSame(await store.release(['1', '2', '3']), [gateOf(mine)], 'the released gates');
      expectSame(await store.listGates(), others.map(gateOf), 'the gates that stand');
      expectSame(await store.release(['1', '2', '3']), [], 'a second release');
      expectSame(await store.release(['nowhere']), [], 'a release of an order without a gate');
      expectThat((await store.listOpenOrders()).length === 5, 'a release settles no order');
    },
  ),

  clause('release opens the scope for admission (I9)', async ({ store }) => {
    await store.placeOrder(orderOf('order', { everything: true }, 'on-release'));
    await expectShut(store, agentOf('a'));
    await store.release(['order']);
    await admitted(store, agentOf('a'));
  }),

  clause('release returns every gate that it names, in the order of their placing', async ({ store }) => {
    const orders = [
      orderOf('1', { task: 't' }, 'on-release'),
      orderOf('2', { task: 't' }, 'on-release', epoch + 1),
    ];
    for (const order of orders) {
      await store.placeOrder(order);
      await expectSettles(store, order);
    }
    expectSame(await store.release(['2', '1']), orders.map(gateOf), 'the released gates');
  }),

  clause('of releases racing for one gate, one returns it (I4)', async ({ store, second }) => {
    await store.placeOrder(orderOf('order', { everything: true }, 'on-release'));
    const racers = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? store : second).release(['order']));
    const gates: Gate[] = (await Promise.all(racers)).flat();
    expectThat(gates.length === 1, `the gate is returned once, not ${gates.length} times`);
  }),
];

async function expectSettles(store: StateStore, order: StopOrder): Promise<void> {
  expectThat(await store.swapOrder(settled(order)), `order "${order.orderId}" is settled`);
  const open = await store.listOpenOrders();
  expectThat(!open.some(({ orderId }) => orderId === order.orderId), 'a settled order is not open');
}

async function expectShut(store: StateStore, agent: ReturnType<typeof agentOf>): Promise<void> {
  const { result } = await store.admit(agent);
  expectThat(result === 'gated', `agent "${agent.agentId}" is refused as gated, not ${result}`);
}
