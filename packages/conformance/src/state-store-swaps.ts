import type { Agent } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import {
  admitted,
  agentOf,
  changed,
  claimed,
  completed,
  expectSame,
  running,
} from './state-store-records.ts';

export const swapClauses: readonly StateStoreClause[] = [
  clause('swapAgents stores exactly the next revision and nothing else', async ({ store }) => {
    const [agent] = (await admitted(store, agentOf('a'))) as [Agent];
    const next = await changed(store, agent, running);
    for (const revision of [0, 1, 3, 4]) {
      const [won] = await store.swapAgents([{ ...completed(next), revision }]);
      expectThat(won === false, `revision ${revision} over revision 1 is a lost race`);
      expectSame(await store.getAgent('a'), next, 'the agent after a lost race');
    }
    const last = await changed(store, next, completed);
    expectSame(await store.getAgent('a'), last, 'the agent after a won race');
  }),

  clause('swapAgents answers false for an agent that is not there, and stores nothing', async ({ store }) => {
    for (const revision of [0, 1]) {
      const [won] = await store.swapAgents([{ ...running(agentOf('nobody')), revision }]);
      expectThat(won === false, 'a change of an agent that is not there is refused');
      expectThat((await store.getAgent('nobody')) === undefined, 'nothing is stored');
    }
  }),

  clause('swapAgents treats each agent on its own and answers in the order given', async ({ store }) => {
    const agents = await admitted(
      store,
      ...Array.from({ length: 60 }, (_, at) => agentOf(`a${(at * 37) % 60}`)),
    );
    const lost = new Set(agents.filter((_, at) => at % 3 === 0 || at === 1));
    for (const agent of lost) await changed(store, agent, completed);
    const answers = await store.swapAgents([
      ...agents.map((agent) => claimed(agent)),
      claimed(agentOf('nobody')),
    ]);
    expectThat(answers.length === agents.length + 1, 'there is one answer for each agent');
    for (const [at, agent] of agents.entries()) {
      expectThat(answers[at] === !lost.has(agent), `the answer at ${at} is the one for "${agent.agentId}"`);
      const status = (await store.getAgent(agent.agentId))?.status;
      expectThat(status === (lost.has(agent) ? 'completed' : 'killing'), `"${agent.agentId}" is as answered`);
    }
  }),

  clause('swapAgents of no agents is an empty answer', async ({ store }) => {
    expectSame(await store.swapAgents([]), [], 'the answer');
  }),

  clause('of two changes of one agent in one batch, one wins', async ({ store }) => {
    const [agent] = (await admitted(store, agentOf('a'))) as [Agent];
    const changes = [completed(agent), claimed(agent)];
    const answers = await store.swapAgents(changes);
    expectThat(answers.filter(Boolean).length === 1, 'one of the two wins');
    expectSame(await store.getAgent('a'), changes[answers.indexOf(true)], 'the stored agent');
  }),

  clause('of 100 changes racing from one revision, one wins', async ({ store, second }) => {
    const [agent] = (await admitted(store, agentOf('a'))) as [Agent];
    const changes = Array.from({ length: 100 }, (_, at) => claimed(agent, `order-${at}`));
    const answers = await Promise.all(
      changes.map((change, at) => (at % 2 === 0 ? store : second).swapAgents([change])),
    );
    const winners = changes.filter((_, at) => answers[at]?.[0] === true);
    expectThat(winners.length === 1, `one of 100 wins, not ${winners.length}`);
    expectSame(await store.getAgent('a'), winners[0], 'the stored agent');
  }),
];
