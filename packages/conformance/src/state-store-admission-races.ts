import type { Agent } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreBench, type StateStoreClause } from './state-store-clause.ts';
import { inScope } from './state-store-pages.ts';
import { admitted, agentOf, childOf, claimed, orderOf } from './state-store-records.ts';

const rounds = 5;
const racers = 20;

export const admissionRaceClauses: readonly StateStoreClause[] = [
  clause('of admissions racing for one id, one wins', async (bench) => {
    const agents = Array.from({ length: racers }, (_, at) => agentOf('one', { hostId: `h${at}` }));
    const winners = await admittedOf(bench, agents);
    expectThat(winners.length === 1, `one of ${racers} is admitted, not ${winners.length}`);
    const stored = await bench.store.getAgent('one');
    expectThat(stored?.hostId === winners[0]?.hostId, 'the record of the winner is the stored one');
  }),

  clause('of admissions racing for one new task, only those of one owner win', async (bench) => {
    const agents = Array.from({ length: racers }, (_, at) =>
      agentOf(`a${at}`, { taskId: 't', ownerId: `o${at % 4}` }),
    );
    const owners = new Set((await admittedOf(bench, agents)).map((agent) => agent.ownerId));
    expectThat(owners.size === 1, `the task is bound to one owner, not ${owners.size}`);
  }),

  clause(
    'an agent admitted while an order is placed is in a listing begun when that is done (I1)',
    async (bench) => {
      for (let round = 0; round < rounds; round += 1) {
        const workspaceId = `w${round}`;
        const agents = Array.from({ length: racers }, (_, at) => agentOf(`a${round}-${at}`, { workspaceId }));
        const racing = admittedOf(bench, agents);
        await bench.second.placeOrder(orderOf(`order-${round}`, { workspace: workspaceId }));
        await expectListed(bench, `workspace:${workspaceId}`, racing);
        const late = await bench.store.admit(agentOf(`late-${round}`, { workspaceId }));
        expectThat(late.result === 'gated', `nothing is admitted after the order, not ${late.result}`);
      }
    },
  ),

  clause(
    'a child admitted while its parent is claimed is in a listing begun when that is done (I1)',
    async (bench) => {
      for (let round = 0; round < rounds; round += 1) {
        const parent = agentOf(`p${round}`);
        await admitted(bench.store, parent);
        const children = Array.from({ length: racers }, (_, at) => childOf(parent, `c${round}-${at}`));
        const racing = admittedOf(bench, children);
        const [won] = await bench.second.swapAgents([claimed(parent)]);
        expectThat(won === true, 'the claim of the parent wins');
        await expectListed(bench, `agent:${parent.agentId}`, racing);
      }
    },
  ),
];

/** Admits all at once, over both clients in turn; resolves with those that were admitted. */
async function admittedOf({ store, second }: StateStoreBench, agents: readonly Agent[]): Promise<Agent[]> {
  const answers = await Promise.all(agents.map((agent, at) => (at % 2 === 0 ? store : second).admit(agent)));
  return agents.filter((_, at) => answers[at]?.result === 'admitted');
}

async function expectListed(
  { store }: StateStoreBench,
  key: string,
  racing: Promise<Agent[]>,
): Promise<void> {
  const listed = new Set((await inScope(store, key)).map((agent) => agent.agentId));
  for (const { agentId } of await racing)
    expectThat(listed.has(agentId), `admitted agent "${agentId}" is listed`);
}
