import { createInterface } from 'node:readline';
import { sqliteState } from '../../src/index.ts';
import { agentOf, claimedBy } from '../records.ts';

/** For each agent id it is told, tries to claim that agent and says whether it won. */
const [file = '', name = ''] = process.argv.slice(2);
const store = sqliteState(file);
console.log('ready');
for await (const agentId of createInterface({ input: process.stdin })) {
  const [won] = await store.swapAgents([claimedBy(agentOf(agentId), name)]);
  console.log(won ? 'won' : 'lost');
}
store.close();
