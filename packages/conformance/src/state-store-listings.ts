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
  running,
} from './state-store-records.ts';

export const listingClauses: readonly StateStoreClause[] = [
  clause(
    'listAgents lists an agent under each of its scope keys, ancestors included, and no other',
    async ({ store }) => {
      const root = agentOf('root', { taskId: 't1', workspaceId: 'w1', backendId: 'b1' });
      const parent = childOf(root, 'parent');
      const child = childOf(parent, 'child');
      await admitted(store, root, parent, child);
      const expected: Record<string, string[]> = {
        everything: ['root', 'parent', 'child'],
        'backend:b1': ['root'],
        'backend:b': ['parent', 'child'],
        'workspace:w1': ['root'],
        'workspace:w': ['parent', 'child'],
        'task:t1': ['root'],
        'agent:root': ['root', 'parent', 'child'],
        'agent:parent': ['parent', 'child'],
        'agent:child': ['child'],
        'agent:t1': [],
        'task:root': [],
        'workspace:': [],
        'backend:nowhere': [],
      };
      for (const [key, ids] of Object.entries(expected))
        expectIds(await inScope(store, key), ids, `scope ${key}`);
    },
  ),

  clause('listAgents lists the live agents only: spawning, running and killing', async ({ store }) => {
    const changes = { spawning: [], running: [running], killing: [claimed], late: [running, claimed] };
    const ends = { completed: [completed], failed: [running, failed], killed: [running, claimed, killed] };
    for (const [id, steps] of Object.entries({ ...changes, ...ends })) {
      const [agent] = (await admitted(store, agentOf(id))) as [Agent];
      await changed(store, agent, ...steps);
    }
    for (const key of ['everything', 'workspace:w', 'backend:b']) {
      expectIds(await inScope(store, key), Object.keys(changes), `scope ${key}`);
    }
    expectIds(await inScope(store, 'agent:killed'), [], 'the scope of a killed agent');
    expectIds(await inScope(store, 'agent:killing'), ['killing'], 'the scope of a killing agent');
  }),

  clause('listAgents gives the record as it was last stored', async ({ store }) => {
    const [agent] = (await admitted(store, agentOf('a'))) as [Agent];
    const last = await changed(store, agent, running, claimed);
    expectSame(await inScope(store, 'everything'), [last], 'the listing');
  }),

  clause('listOrder lists the agents whose kill record names the order, in any status', async ({ store }) => {
    const claims = { killing: [claimed], killed: [claimed, killed] };
    const others = { spawning: [], running: [running], completed: [completed] };
    for (const [id, steps] of Object.entries({ ...claims, ...others })) {
      const [agent] = (await admitted(store, agentOf(id))) as [Agent];
      await changed(store, agent, ...steps);
    }
    const listed = await inOrder(store, 'order');
    expectIds(listed, Object.keys(claims), 'the order');
    for (const agent of listed) expectSame(agent, await store.getAgent(agent.agentId), 'the listed record');
    expectIds(await inOrder(store, 'another'), [], 'an order that claimed nobody');
  }),

  clause('listOrder lists an agent under every order that joined its kill, once (I7)', async ({ store }) => {
    const [agent] = (await admitted(store, agentOf('a'), agentOf('b'))) as [Agent];
    const second = (record: Agent) => claimed(record, 'second');
    await changed(store, agent, claimed, second, killed);
    for (const orderId of ['order', 'second'])
      expectIds(await inOrder(store, orderId), ['a'], `order ${orderId}`);
  }),

  clause('listOrder pages: at most the limit, every agent once, an end', async ({ store }) => {
    const agents = await admitted(store, ...Array.from({ length: 25 }, (_, at) => agentOf(`a${at}`)));
    const won = await store.swapAgents(agents.map((agent) => claimed(agent)));
    expectThat(won.every(Boolean), 'every claim wins');
    const ids = agents.map((agent) => agent.agentId);
    for (const limit of [1, 7, 25, 10_000])
      expectIds(await inOrder(store, 'order', limit), ids, `limit ${limit}`);
  }),
];
