import { randomUUID } from 'node:crypto';
import { redisState } from '@agent-killswitch/adapter-redis';
import { type Agent, createKillswitch, type StopOrder } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime } from '@agent-killswitch/core/memory';
import { Redis } from 'ioredis';
import { Book } from '../packages/core/src/book.ts';
import { GuardedEvents } from '../packages/core/src/events.ts';
import { sweep } from '../packages/core/src/sweep.ts';
import { systemClock } from '../packages/core/src/system-clock.ts';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import { median } from './compare.ts';
import type { Report } from './report.ts';
import { collectGarbage } from './support/collect-garbage.ts';

const few = 10_000;
const many = 100_000;
/** In turns, so that a machine that slows down slows both; the first one of each kind, which is not counted, warms them up. */
const rounds = { few: 9, many: 3 };

/** What state in Valkey costs: kill-all of many agents beside the plainest scripts, and the round trips of one kill. */
export default function bench(report: Report): Promise<void> {
  return withServices([serviceNamed('valkey')], async ({ env, missing }) => {
    const url = env.VALKEY_URL;
    if (url === undefined) throw new Error(`No Valkey: ${missing.map(({ why }) => why).join()}`);
    const killFew: number[] = [];
    const killMany: number[] = [];
    const bareFew: number[] = [];
    const bareMany: number[] = [];
    const measure = async (n: number, kill: number[], bare: number[], count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        kill.push(await perSecond(url, n, killAll));
        bare.push(await perSecond(url, n, barePipeline));
      }
    };
    await measure(few, [], [], 3);
    await measure(few, killFew, bareFew, rounds.few);
    await measure(many, killMany, bareMany, rounds.many);
    const unit = 'agents/s';
    const limit = { limit: 0.5, direction: 'atLeast' } as const;
    report({
      metric: 'valkey.kill-all.10k',
      value: median(killFew),
      baseline: median(bareFew),
      unit,
      n: few,
      ...limit,
    });
    report({
      metric: 'valkey.kill-all',
      value: median(killMany),
      baseline: median(bareMany),
      unit,
      n: many,
      ...limit,
    });
    const growth = { value: 1e6 / median(killMany), baseline: 1e6 / median(killFew) };
    report({ metric: 'valkey.growth', ...growth, unit: 'µs/agent', limit: 1.2, n: many });
    report({
      metric: 'valkey.round-trips',
      value: await roundTrips(url),
      unit: 'round trips',
      limit: 3,
      n: 1,
    });
  });
}

type Work = (client: Redis, n: number) => Promise<number>;

/** Agents per second, on an empty server. */
async function perSecond(url: string, n: number, work: Work): Promise<number> {
  const client = new Redis(url);
  try {
    await client.flushall();
    return (n / (await work(client, n))) * 1_000;
  } finally {
    client.disconnect();
  }
}

/** From the placing of the order until every agent in its scope is claimed, by the core's own sweep. */
async function killAll(client: Redis, n: number): Promise<number> {
  const store = redisState(client, { prefix: `bench-${randomUUID()}` });
  for (let at = 0; at < n; at += 1_000)
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => store.admit(agentOf(`agent-${at + i}`, at + i))),
    );
  const book = new Book(store, systemClock, new GuardedEvents(), 'killer', 10_000);
  const order = orderOf();
  collectGarbage();
  const since = performance.now();
  await store.placeOrder(order);
  let claimed = 0;
  await sweep(book, order, ({ changes }) => {
    claimed += changes.filter(({ before, agent }) => agent !== before).length;
  });
  if (claimed !== n) throw new Error(`Claimed ${claimed} of ${n}`);
  return performance.now() - since;
}

const bareSwap = `#!lua
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'record', ARGV[3])
return 1`;

/** The same records stored over the same revisions, the plainest way: one script each, a thousand in a pipeline. */
async function barePipeline(client: Redis, n: number): Promise<number> {
  const agents = Array.from({ length: n }, (_, at) => agentOf(`agent-${at}`, at));
  for (let at = 0; at < n; at += 1_000) {
    const filling = client.pipeline();
    for (const agent of agents.slice(at, at + 1_000))
      filling.hset(`{bare}:${agent.agentId}`, 'revision', '0', 'record', JSON.stringify(agent));
    await filling.exec();
  }
  const sha = String(await client.script('LOAD', bareSwap));
  collectGarbage();
  const since = performance.now();
  let won = 0;
  for (let at = 0; at < n; at += 1_000) {
    const pipeline = client.pipeline();
    for (const agent of agents.slice(at, at + 1_000)) {
      const record = JSON.stringify(claimOf(agent, 'order'));
      pipeline.evalsha(sha, 1, `{bare}:${agent.agentId}`, '0', '1', record);
    }
    for (const [, answer] of (await pipeline.exec()) ?? []) if (answer === 1) won += 1;
  }
  const ms = performance.now() - since;
  if (won !== n) throw new Error(`Swapped ${won} of ${n}`);
  return ms;
}

/** Commands from the request for the kill of a single agent until it is told to die; the fewest of some, since other work goes on. */
async function roundTrips(url: string): Promise<number> {
  const client = new Redis(url);
  const state = redisState(client, { prefix: `bench-${randomUUID()}` });
  const runtime = memoryRuntime();
  const ks = createKillswitch({ hostId: 'one', state, audit: memoryAudit(), runtimes: { memory: runtime } });
  let trips = 0;
  let signalled = Number.POSITIVE_INFINITY;
  ks.on('step', ({ step }) => {
    if (step === 'signalled') signalled = Math.min(signalled, trips);
  });
  await ks.start();
  const send = client.sendCommand.bind(client);
  client.sendCommand = (...args) => {
    trips += 1;
    return send(...args);
  };
  const principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;
  const counted: number[] = [];
  for (let n = 0; n < 5; n++) {
    const agentId = `agent-${n}`;
    await ks.admit({ agentId, taskId: 'task', workspaceId: 'w', ownerId: 'o' });
    await ks.running(agentId, [runtime.spawn()]);
    trips = 0;
    signalled = Number.POSITIVE_INFINITY;
    await ks.kill({ agent: agentId }, { principal, reason: 'bench' });
    counted.push(signalled);
  }
  await ks.close();
  state.close();
  client.disconnect();
  return Math.min(...counted);
}

function agentOf(agentId: string, at: number): Agent {
  return {
    agentId,
    taskId: `task-${at % 1_000}`,
    sessionIds: [`session-${at}`],
    workspaceId: `workspace-${at % 10}`,
    ownerId: `owner-${at % 10}`,
    backendId: 'local',
    lineage: [],
    hostId: 'bench',
    revision: 0,
    handles: [],
    resources: [],
    ledger: [],
    spawnedAt: 1,
    status: 'spawning',
  };
}

function claimOf(agent: Agent, orderId: string): Agent {
  const kill = { orderIds: [orderId], statusBefore: 'running' as const, requestedAt: 2, errors: [] };
  return { ...agent, revision: agent.revision + 1, status: 'killing', kill } as Agent;
}

function orderOf(): StopOrder {
  return {
    orderId: 'order',
    revision: 0,
    hostId: 'bench',
    scope: { everything: true },
    opens: 'on-release',
    principal: { id: 'root', kind: 'user' },
    reason: 'bench',
    policyVersion: '1',
    requestedAt: 1,
    killAt: 1,
    forceAt: 2,
    deadlineAt: 3,
  };
}
