import { createInterface } from 'node:readline';
import { sqliteState } from '../../src/index.ts';
import { agentOf } from '../records.ts';

/** For each workspace it is told, admits agents to it until a gate refuses, and says which it admitted. */
const [file = ''] = process.argv.slice(2);
const store = sqliteState(file, { busyMs: 5_000 });
console.log('ready');
for await (const workspaceId of createInterface({ input: process.stdin })) {
  const admitted: string[] = [];
  for (let at = 0; ; at += 1) {
    const { result } = await store.admit(agentOf(`${workspaceId}-${at}`, workspaceId));
    if (result !== 'admitted') break;
    admitted.push(`${workspaceId}-${at}`);
    if (at === 0) console.log('begun');
  }
  console.log(admitted.join(' '));
}
store.close();
