import type { Agent } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { expectIds, inOrder, inScope } from './state-store-pages.ts';
import {
  admitted,
  agentOf,
  changed,
  childOf,
  claimed,
  completed,
  expectSame,
  failed,
  killed,
  orderOf,
  running,
} from './state-store-records.ts';

/** The most ancestors that the core gives an agent. */
const mostAncestors = 64;

/** A root and a line of descendants below it, the last with the most ancestors. */
function line(): Agent[] {
  const agents = [agentOf('root')];
  for (let depth = 1; depth <= mostAncestors; depth += 1) {
    agents.push(childOf(agents[depth - 1] as Agent, `depth-${depth}`));
  }
  return agents;
}

export const depthClauses: readonly StateStoreClause[] = [
  clause('admit refuses under a gate on an ancestor at any of 64 levels (I1)', async ({ store }) => {
    const agents = line();
    const last = agents.pop() as Agent;
    await admitted(store, ...agents);
    for (const ancestor of agents) {
      const order = orderOf(`on-${ancestor.agentId}`, { agent: ancestor.agentId }, 'on-release');
      await store.placeOrder(order);
      const answer = await store.admit(last);
      expectThat(answer.result === 'gated', `a gate on "${ancestor.agentId}" bars "${last.agentId}"`);
      expectThat(answer.gate.orderId === order.orderId, `the gate of order "${order.orderId}" is named`);
      await store.release([order.orderId]);
    }
    await admitted(store, last);
  }),

  clause('listAgents lists an agent’s descendants at each of 64 levels (I1)', async ({ store }) => {
    const agents = await admitted(store, ...line());
    const ids = agents.map((agent) => agent.agentId);
    for (const [depth, ancestor] of ids.entries()) {
      expectIds(await inScope(store, `agent:${ancestor}`), ids.slice(depth), `scope agent:${ancestor}`);
    }
  }),

  clause('listOrder lists an agent under each of ten orders that joined its kill (I7)', async ({ store }) => {
    const [agent] = (await admitted(store, agentOf('a'))) as [Agent];
    const orderIds = Array.from({ length: 10 }, (_, at) => `order-${at}`);
    const joins = orderIds.map((orderId) => (record: Agent) => claimed(record, orderId));
    const last = await changed(store, agent, ...joins);
    for (const orderId of orderIds) expectSame(await inOrder(store, orderId), [last], `order ${orderId}`);
    const dead = await changed(store, last, killed);
    for (const orderId of orderIds) expectSame(await inOrder(store, orderId), [dead], `order ${orderId}`);
  }),

  clause('getTask still answers when every agent of the task has ended', async ({ store }) => {
    const agents = await admitted(store, ...['a', 'b', 'c'].map((id) => agentOf(id, { taskId: 't' })));
    for (const [at, steps] of [[completed], [running, failed], [claimed, killed]].entries()) {
      await changed(store, agents[at] as Agent, ...steps);
    }
    expectSame(await store.getTask('t'), { taskId: 't', workspaceId: 'w', ownerId: 'o' }, 'the task');
  }),
];
