import { randomUUID } from 'node:crypto';
import { type RedisState, redisState } from '@agent-killswitch/adapter-redis';
import { Redis } from 'ioredis';
import { type Answer, type Call, perform } from '../../packages/adapter-redis/test/support/claim-and-gate.ts';
import type { Operation } from '../../packages/adapter-redis/test/support/linearizable.ts';
import { someCall } from '../../packages/adapter-redis/test/support/some-call.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Faults } from './faults.ts';

export type History = Operation<Call, Answer>[];

const callsEach = 6;
/** A call that takes longer counts as never answered; it may take effect at any time since. */
const patienceMs = 60;

/** Every other client gives up when its connection is cut; the others send again what was on its way. */
export function clientsOf(url: string, count: number): Redis[] {
  return Array.from({ length: count }, (_, n) => {
    const giveUp = n % 2 === 0 ? { maxRetriesPerRequest: 0 } : {};
    const client = new Redis(url, { retryStrategy: () => 1, ...giveUp });
    client.on('error', () => {});
    return client;
  });
}

/** What clients that race on a state of their own ask and are answered, while faults strike. */
export async function recordHistory(
  clients: readonly Redis[],
  random: SeededRandom,
  faults: Faults | undefined,
): Promise<History> {
  const prefix = `history-${randomUUID()}`;
  const stores = clients.map((client) => redisState(client, { prefix }));
  // Who they are is settled before the race.
  for (const store of stores) await untilAnswered(store);
  const history: History = [];
  const racing = stores.map(async (store, n) => {
    for (let k = 0; k < callsEach; k += 1) {
      const call = someCall(random, `${n}-${k}`);
      const begun = performance.now();
      const answer = await patiently(perform(store, call));
      const ended = performance.now();
      // Sent again, a change that was stored and then overtaken is answered as a lost race.
      const isDoubtful = answer === false && faults?.hasCutSince(begun) === true;
      if (answer === undefined || isDoubtful) history.push({ call, begun, ended: Number.POSITIVE_INFINITY });
      else history.push({ call, answer, begun, ended });
    }
  });
  const striking = faults?.strike();
  await Promise.all(racing);
  await striking;
  for (const store of stores) store.close();
  return history;
}

/** `undefined` if it failed or was not answered in time. */
async function patiently(asked: Promise<Answer>): Promise<Answer | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs);
  });
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function untilAnswered(store: RedisState): Promise<void> {
  while ((await store.listLeases().catch(() => undefined)) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 2));
}
