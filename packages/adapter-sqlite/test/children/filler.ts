import { isKillswitchError } from '@agent-killswitch/core';
import { sqliteState } from '../../src/index.ts';
import { agentOf } from '../records.ts';

/** Admits agents until that is refused; says how many were admitted, with which code it ended, and how many are listed. */
const [file = ''] = process.argv.slice(2);
const store = sqliteState(file);
let admitted = 0;
let code = '';
while (code === '') {
  try {
    await store.admit(agentOf(`a${admitted}`));
    admitted += 1;
  } catch (error) {
    code = isKillswitchError(error) ? error.code : String(error);
  }
}
const { items } = await store.listAgents('everything', { limit: 10_000 });
console.log(`${admitted} ${code} ${items.length}`);
store.close();
