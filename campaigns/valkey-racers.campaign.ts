import { randomUUID } from 'node:crypto';
import { type RedisState, redisState } from '@agent-killswitch/adapter-redis';
import { type Agent, canonical } from '@agent-killswitch/core';
import { Redis } from 'ioredis';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import type { Campaign, CampaignResult } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';

const racers = 100;
const clients = 10;

/** The seed decides who races when and when scripts are forgotten; who wins is up to the server. */
const campaign: Campaign = {
  name: 'valkey-racers',
  summary:
    'A hundred claims race for one agent in Valkey while the server forgets its scripts: one wins (I2)',
  defaultRounds: 1_000,
  testRounds: 20,

  run({ rounds, seed, log }) {
    return withServices([serviceNamed('valkey')], async ({ env, missing }) => {
      const url = env.VALKEY_URL;
      if (url === undefined) throw new Error(`No Valkey: ${missing.map(({ why }) => why).join()}`);
      const prefix = `racers-${randomUUID()}`;
      const connections = Array.from({ length: clients + 1 }, () => new Redis(url));
      const [flusher, ...others] = connections as [Redis, ...Redis[]];
      const stores = others.map((client) => redisState(client, { prefix }));
      try {
        return await race(stores, flusher, new SeededRandom(seed), rounds, log);
      } finally {
        const keys = await flusher.keys(`{${prefix}}:*`);
        for (let at = 0; at < keys.length; at += 1_000) await flusher.unlink(...keys.slice(at, at + 1_000));
        for (const connection of connections) connection.disconnect();
      }
    });
  },
};
export default campaign;

async function race(
  stores: readonly RedisState[],
  flusher: Redis,
  random: SeededRandom,
  rounds: number,
  log: (line: string) => void,
): Promise<CampaignResult> {
  const violations: string[] = [];
  const faultsFired = { 'scripts forgotten before': 0, 'scripts forgotten meanwhile': 0 };
  for (let round = 0; round < rounds; round++) {
    const agent = agentOf(`a${round}`);
    await random.pick(stores).admit(agent);
    if (random.chance(0.5)) {
      await flusher.script('FLUSH', 'SYNC');
      faultsFired['scripts forgotten before'] += 1;
    }
    const flushAt = random.chance(0.5) ? random.integer(0, racers) : undefined;
    const claims = Array.from({ length: racers }, (_, n) => claimOf(agent, `order-${n}`));
    const answers = await Promise.all(
      claims.map((claim, n) => {
        if (n === flushAt) {
          faultsFired['scripts forgotten meanwhile'] += 1;
          flusher.script('FLUSH', 'SYNC').catch((error: unknown) => violations.push(String(error)));
        }
        return random.pick(stores).swapAgents([claim]);
      }),
    );
    const winners = claims.filter((_, n) => answers[n]?.[0] === true);
    if (winners.length !== 1) violations.push(`round ${round}: ${winners.length} of ${racers} won`);
    const stored = await random.pick(stores).getAgent(agent.agentId);
    if (stored === undefined || canonical(stored) !== canonical(winners[0]))
      violations.push(`round ${round}: what is stored is not the winner's`);
    if ((round + 1) % 100 === 0) log(`round ${round + 1}: ${violations.length} violations`);
  }
  return { violations, faultsFired };
}

function agentOf(agentId: string): Agent {
  const ids = { agentId, taskId: 't', sessionIds: [], workspaceId: 'w', ownerId: 'o', backendId: 'b' };
  const rest = { lineage: [], hostId: 'h', handles: [], resources: [], ledger: [], spawnedAt: 1 };
  return { ...ids, ...rest, revision: 0, status: 'spawning' };
}

function claimOf(agent: Agent, orderId: string): Agent {
  const kill = { orderIds: [orderId], statusBefore: 'spawning' as const, requestedAt: 2, errors: [] };
  return { ...agent, revision: agent.revision + 1, status: 'killing', kill } as Agent;
}
