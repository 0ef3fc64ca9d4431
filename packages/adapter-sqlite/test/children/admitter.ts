import { createInterface } from 'node:readline';
import { sqliteState } from '../../src/index.ts';
import { agentOf } from '../records.ts';

/** For each workspace it is told, admits agents to it until a gate refuses, and says which it admitted. */
const [file = '', name = ''] = process.argv.slice(2);
const store = sqliteState(file, { busyMs: 10_000 });
console.log('ready');
for await (const workspaceId of createInterface({ input: process.stdin })) {
  const admitted: string[] = [];
  for (;;) {
    const agent = agentOf(`${workspaceId}-${name}-${admitted.length}`, workspaceId);
    const { result } = await store.admit(agent);
    if (result !== 'admitted') break;
    admitted.push(agent.agentId);
    if (admitted.length === 1) console.log('begun');
  }
  console.log(`done ${admitted.join(' ')}`);
}
store.close();
