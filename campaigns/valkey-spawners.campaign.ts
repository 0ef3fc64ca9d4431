import { randomUUID } from 'node:crypto';
import { type ProcessRuntime, processRuntime } from '@agent-killswitch/adapter-process';
import { redisState } from '@agent-killswitch/adapter-redis';
import {
  createKillswitch,
  isKillswitchError,
  type Killswitch,
  type OrderReport,
} from '@agent-killswitch/core';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { Redis } from 'ioredis';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import type { Campaign, CampaignResult } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';

const hosts = 3;
/** Whoever was over, and known here, so long before the deadline has to be confirmed by then. */
const marginMs = 2_000;
/** How long it may take until whoever was named is confirmed after all. */
const namedMs = 10_000;

/** The seed decides who stops and when; what is on its way at that moment is up to the machine. */
const campaign: Campaign = {
  name: 'valkey-spawners',
  summary:
    'Three hosts start processes for a task without a pause while one of them kills it: nobody survives (I1)',
  defaultRounds: 500,
  testRounds: 5,

  run({ rounds, seed, log }) {
    return withServices([serviceNamed('valkey')], async ({ env, missing }) => {
      const url = env.VALKEY_URL;
      if (url === undefined) throw new Error(`No Valkey: ${missing.map(({ why }) => why).join()}`);
      const prefix = `spawners-${randomUUID()}`;
      const clients = Array.from({ length: hosts }, () => new Redis(url));
      const crew = await Promise.all(clients.map((client, n) => hostOf(client, prefix, `host-${n}`)));
      try {
        return await race(crew, new SeededRandom(seed), rounds, log);
      } finally {
        for (const { ks, close } of crew) await ks.close().then(close, close);
        for (const client of clients) client.disconnect();
      }
    });
  },
};
export default campaign;

interface Host {
  readonly ks: Killswitch;
  readonly runtime: ProcessRuntime;
  readonly close: () => void;
}

async function hostOf(client: Redis, prefix: string, hostId: string): Promise<Host> {
  const state = redisState(client, { prefix });
  const runtime = processRuntime();
  const ks = createKillswitch({ hostId, state, audit: memoryAudit(), runtimes: { process: runtime } });
  await ks.start();
  return { ks, runtime, close: () => state.close() };
}

interface Round {
  readonly pids: number[];
  /** By agent id, when this process knew its handle and had seen the end of its process. */
  readonly overAt: Map<string, number>;
  readonly violations: string[];
  /** Since when every new admission has to be refused. */
  placedAt: number;
  admissionsOnTheirWay: number;
}

async function race(
  crew: readonly Host[],
  random: SeededRandom,
  rounds: number,
  log: (line: string) => void,
): Promise<CampaignResult> {
  const violations: string[] = [];
  const faultsFired = { 'processes started': 0, 'admissions on their way at the stop': 0 };
  let named = 0;
  for (let n = 0; n < rounds; n++) {
    const taskId = `task-${n}`;
    const never = Number.POSITIVE_INFINITY;
    const round: Round = {
      pids: [],
      overAt: new Map(),
      violations,
      placedAt: never,
      admissionsOnTheirWay: 0,
    };
    const spawners = crew.map((host) => spawnUntilRefused(host, taskId, round));
    // What they reject with is thrown when they are waited for; until then another failure must not go under in it.
    for (const spawner of spawners) spawner.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, random.integer(1, 30)));
    const killer = random.pick(crew);
    const unlisten = killer.ks.on('step', ({ step, order }) => {
      if (step !== 'placed' || !('task' in order.scope) || order.scope.task !== taskId) return;
      round.placedAt = Math.min(round.placedAt, performance.now());
      faultsFired['admissions on their way at the stop'] += round.admissionsOnTheirWay;
    });
    const report = await stopTask(killer.ks, taskId);
    await Promise.all(spawners);
    unlisten();
    named += await checkNamed(killer.ks, report, round, log);
    faultsFired['processes started'] += round.pids.length;
    const survivors = await survivorsOf(round.pids);
    if (survivors.length > 0)
      violations.push(`round ${n}: ${survivors.length} of ${round.pids.length} survive`);
    if ((n + 1) % 50 === 0)
      log(`round ${n + 1}: ${violations.length} violations, ${named} named as unconfirmed`);
  }
  return { violations, faultsFired };
}

/**
 * Who is named as not confirmed dead was not known to be over when the time was up, and is confirmed soon after: a busy
 * machine may be late to look, but leaves nobody in doubt for good. Returns how many were named.
 */
async function checkNamed(
  ks: Killswitch,
  { deadlineAt, outcomes }: OrderReport,
  { overAt, violations }: Round,
  log: (line: string) => void,
): Promise<number> {
  const unconfirmed = outcomes.filter(({ outcome }) => outcome !== 'confirmed');
  for (const { agentId, taskId, outcome, evidence } of unconfirmed) {
    const early = deadlineAt - (overAt.get(agentId) ?? Number.POSITIVE_INFINITY);
    log(`${taskId}: ${agentId} ${outcome}, over ${early} ms before the deadline: ${evidence}`);
    if (outcome === 'unconfirmed' && early > marginMs)
      violations.push(`${taskId}: ${agentId} was over ${early} ms before the deadline: ${evidence}`);
    if (!(await isConfirmed(ks, agentId))) violations.push(`${taskId}: ${agentId} is never confirmed`);
  }
  return unconfirmed.length;
}

async function isConfirmed(ks: Killswitch, agentId: string): Promise<boolean> {
  const limit = performance.now() + namedMs;
  while (performance.now() < limit) {
    if ((await ks.agent(agentId)).status === 'killed') return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** A task that nobody has been admitted for yet cannot be stopped: it is asked for again. */
async function stopTask(ks: Killswitch, taskId: string) {
  const principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;
  for (;;) {
    try {
      return await ks.kill({ task: taskId }, { principal, reason: 'drill' });
    } catch (error) {
      if (!isKillswitchError(error, 'unknown-target')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

async function spawnUntilRefused({ ks, runtime }: Host, taskId: string, round: Round): Promise<void> {
  for (;;) {
    const agentId = randomUUID();
    const since = performance.now();
    round.admissionsOnTheirWay += 1;
    try {
      await ks.admit({ agentId, taskId, workspaceId: 'w', ownerId: 'o' });
    } catch (error) {
      if (isKillswitchError(error, 'gate-closed')) return;
      // A busy machine may be late to answer: then nobody was let in.
      if (isKillswitchError(error, 'state-unavailable')) continue;
      throw error;
    } finally {
      round.admissionsOnTheirWay -= 1;
    }
    if (since > round.placedAt) round.violations.push(`${taskId}: admitted after the order was placed`);
    const { handle, exited } = await runtime.spawnAgent('sleep', ['600'], { agentId });
    round.pids.push(handle.pid);
    await ks.running(agentId, [handle]);
    void exited.then(() => round.overAt.set(agentId, Date.now()));
  }
}

/** What was started after the order had settled is destroyed as soon as it is told of: that takes a moment. */
async function survivorsOf(pids: readonly number[]): Promise<number[]> {
  const limit = performance.now() + 5_000;
  for (;;) {
    const alive = pids.filter(isAlive);
    if (alive.length === 0 || performance.now() > limit) return alive;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
