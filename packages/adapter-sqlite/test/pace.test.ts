import { join } from 'node:path';
import type { Agent } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { agentOf, claimedBy } from './records.ts';
import { opened, temporaryFolder } from './support.ts';

it('admits one by one, sweeps and claims 10,000 agents', async () => {
  const store = opened(join(temporaryFolder(), 'state.db'));
  const agents = Array.from({ length: 10_000 }, (_, at) => agentOf(`a${at}`, `w${at % 7}`));

  let began = performance.now();
  for (const agent of agents) await store.admit(agent);
  const admits = rate(agents.length, began);

  began = performance.now();
  const listed: Agent[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listAgents('everything', {
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    listed.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  const reads = rate(listed.length, began);
  expect(listed).toEqual(agents);

  began = performance.now();
  const won = await store.swapAgents(listed.map((agent) => claimedBy(agent, 'order')));
  const swaps = rate(won.length, began);
  expect(won).toEqual(agents.map(() => true));
  console.log(`${admits} single admits/s, ${reads} agents listed/s, ${swaps} batched swaps/s`);
});

function rate(count: number, began: number): string {
  return Math.round(count / ((performance.now() - began) / 1_000)).toLocaleString('en');
}
