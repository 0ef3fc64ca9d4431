import { type Agent, gateOf, type StateStore } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { expectIds, inOrder, inScope } from './state-store-pages.ts';
import { admitted, agentOf, claimed, epoch, expectSame, orderOf, running } from './state-store-records.ts';

/** The most that the core asks for on one page, and hands to one `swapAgents`. */
const most = 1_000;

export const manyClauses: readonly StateStoreClause[] = [
  clause('swapAgents stores a batch of 1,000, and answers true for what it stored', async ({ store }) => {
    const agents = await crowd(store, most);
    const stale = new Set([0, 499, most - 1]);
    const changes = agents.map((agent, at) => ({ ...running(agent), revision: stale.has(at) ? 2 : 1 }));
    const won = await store.swapAgents(changes);
    expectThat(won.length === most, `${most} changes have ${most} answers, not ${won.length}`);
    const expected = changes.map((change, at) => (stale.has(at) ? agents[at] : change) as Agent);
    for (const at of changes.keys()) expectThat(won[at] === !stale.has(at), `answer ${at} of the batch`);
    expectSame(byId(await inScope(store, 'everything', most)), byId(expected), 'the agents');
  }),

  clause('listings of 1,500 agents end only when every agent was listed, once', async ({ store }) => {
    const agents = await crowd(store, 1_500);
    const ids = agents.map((agent) => agent.agentId);
    for (const key of ['everything', 'workspace:w', 'task:t']) {
      for (const limit of [most, 10_000])
        expectIds(await inScope(store, key, limit), ids, `scope ${key}, ${limit} on a page`);
    }
    const claims = agents.map((agent) => claimed(agent));
    await store.swapAgents(claims.slice(0, most));
    await store.swapAgents(claims.slice(most));
    for (const limit of [most, 10_000])
      expectIds(await inOrder(store, 'order', limit), ids, `the order, ${limit} on a page`);
  }),

  clause('150 open orders and their gates are all listed, and 50 are released at once', async ({ store }) => {
    const orders = Array.from({ length: 150 }, (_, at) =>
      orderOf(`order-${at}`, { task: `task-${at}` }, 'on-release', epoch + at),
    );
    for (const order of orders) await store.placeOrder(order);
    const gates = orders.map(gateOf);
    expectSame(await store.listOpenOrders(), orders, 'the open orders');
    expectSame(await store.listGates(), gates, 'the gates');
    const released = await store.release(orders.slice(0, 50).map(({ orderId }) => orderId));
    expectSame(released, gates.slice(0, 50), 'the released gates');
    expectSame(await store.listGates(), gates.slice(50), 'the gates that stand');
    expectSame(await store.listOpenOrders(), orders, 'the open orders after the release');
  }),
];

/** Admits that many agents of one task, a hundred at a time. */
async function crowd(store: StateStore, count: number): Promise<Agent[]> {
  const agents = Array.from({ length: count }, (_, at) => agentOf(`a${at}`, { taskId: 't' }));
  for (let at = 0; at < count; at += 100) {
    await Promise.all(agents.slice(at, at + 100).map((agent) => admitted(store, agent)));
  }
  return agents;
}

/** In the order of their ids. */
function byId(agents: readonly Agent[]): Agent[] {
  return [...agents].sort((a, b) => (a.agentId < b.agentId ? -1 : 1));
}
