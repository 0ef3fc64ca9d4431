import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { sqliteState } from '../../src/index.ts';
import { agentOf, claimedBy, orderOf } from '../records.ts';

/** Once told to, writes for ever and says each thing as soon as it is acknowledged; it is killed while at it. */
const [file = '', round = ''] = process.argv.slice(2);
await once(process.stdin, 'data');
const store = sqliteState(file);
const say = (line: string) => writeSync(1, `${line}\n`);
for (let at = 0; ; at += 1) {
  const ids = Array.from({ length: 4 }, (_, of) => `${round}-${at}-${of}`);
  for (const id of ids) {
    await store.admit(agentOf(id));
    say(`admitted ${id}`);
  }
  const orderId = `order-${round}-${at}`;
  await store.placeOrder(orderOf(orderId, { task: `barred-${round}-${at}` }, 'on-release'));
  say(`placed ${orderId}`);
  await store.swapAgents(ids.map((id) => claimedBy(agentOf(id), orderId)));
  for (const id of ids) say(`claimed ${id}`);
}
