import type { Agent } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { everyItem, expectIds, inScope } from './state-store-pages.ts';
import { admitted, agentOf, changed, claimed, completed, killed } from './state-store-records.ts';

export const pagingClauses: readonly StateStoreClause[] = [
  clause('listAgents pages: at most the limit, every agent once, an end', async ({ store }) => {
    const agents = await admitted(store, ...numbered(25));
    const ids = agents.map((agent) => agent.agentId);
    for (const limit of [1, 7, 25, 26, 10_000]) {
      expectIds(await inScope(store, 'everything', limit), ids, `limit ${limit}`);
    }
  }),

  clause(
    'an agent that is live throughout is on one page while others end and come',
    async ({ store, second }) => {
      const agents = await admitted(store, ...numbered(40));
      const ended = new Set<string>();
      const listed = await everyItem(
        (page) => store.listAgents('workspace:w', page),
        4,
        async (items, page) => {
          const upcoming = agents[39 - page];
          for (const agent of [items.at(-1), items[0], upcoming]) {
            if (agent === undefined || agent.agentId.startsWith('new') || ended.has(agent.agentId)) continue;
            await changed(second, agent, completed);
            ended.add(agent.agentId);
          }
          if (page < 20) await admitted(second, agentOf(`new-${page}`), agentOf(`a-new-${page}`));
        },
      );
      expectThat(ended.size >= 10, 'enough agents ended between the pages');
      expectOnceEach(
        listed,
        agents.map((agent) => agent.agentId).filter((id) => !ended.has(id)),
      );
    },
  ),

  clause('an agent that changes between pages is still on one of them', async ({ store, second }) => {
    const agents = await admitted(store, ...numbered(30));
    const claims = new Map<string, Agent>();
    const listed = await everyItem(
      (page) => store.listAgents('everything', page),
      4,
      async (items, page) => {
        for (const agent of [...items, agents[(page * 7) % 30]]) {
          if (agent === undefined || claims.has(agent.agentId)) continue;
          claims.set(agent.agentId, await changed(second, agent, claimed));
        }
      },
    );
    expectOnceEach(
      listed,
      agents.map((agent) => agent.agentId),
    );
  }),

  clause('a sweep that kills what each page lists reaches every agent', async ({ store }) => {
    const agents = await admitted(store, ...numbered(30));
    const listed = await everyItem(
      (page) => store.listAgents('backend:b', page),
      4,
      async (items) => {
        for (const agent of items) await changed(store, agent, claimed, killed);
      },
    );
    expectOnceEach(
      listed,
      agents.map((agent) => agent.agentId),
    );
  }),
];

function numbered(count: number): Agent[] {
  return Array.from({ length: count }, (_, at) => agentOf(`a${(at * 17) % count}`));
}

function expectOnceEach(listed: readonly Agent[], ids: readonly string[]): void {
  for (const id of ids) {
    const times = listed.filter((agent) => agent.agentId === id).length;
    expectThat(times === 1, `agent "${id}", live throughout, is listed once, not ${times} times`);
  }
}
