import type { AuditEvent } from '@agent-killswitch/core';
import { processesOf } from '../examples/reference-server/test/support/processes.ts';
import { type Life, Site, tokens } from '../examples/reference-server/test/support/reference-server.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';

const behaviours = ['cooperative', 'stubborn', 'forking', 'finishing'] as const;
const settleMs = 15_000;

/** The seed decides what is asked and when the server dies; how far it had come by then is up to the machine. */
const campaign: Campaign = {
  name: 'server-crash',
  summary:
    'The reference server is killed by SIGKILL at random moments of a stop and started again (I1, I2, I4)',
  defaultRounds: 100,
  testRounds: 4,

  async run({ rounds, seed, log }) {
    const random = new SeededRandom(seed);
    const violations: string[] = [];
    const faultsFired = { crashes: 0, 'crashes with an order open': 0 };
    for (let round = 0; round < rounds; round++) {
      const site = new Site();
      const broken = (what: string): void => {
        violations.push(`seed ${seed} round ${round}: ${what}`);
      };
      try {
        const stop = random.pick(stops);
        const agents = await crash(site, stop, random);
        faultsFired.crashes += 1;
        if (hasOpenOrder(site)) faultsFired['crashes with an order open'] += 1;
        await check(site, stop, agents, broken);
      } catch (error) {
        broken(`${error}`);
      } finally {
        await site.dispose();
      }
      if ((round + 1) % 10 === 0) log(`round ${round + 1}: ${violations.length} violations`);
    }
    return { violations, faultsFired };
  },
};
export default campaign;

interface Stop {
  readonly method: string;
  readonly path: string;
  /** Whether a spawn after the recovery must be refused. */
  readonly latches: boolean;
}

const stops: readonly Stop[] = [
  { method: 'POST', path: '/api/orchestrator/tasks/t/kill', latches: true },
  { method: 'POST', path: '/api/orchestrator/workspaces/demo/kill-all', latches: false },
  { method: 'POST', path: '/api/orchestrator/emergency-stop', latches: true },
  { method: 'DELETE', path: '/api/orchestrator/backends/local', latches: true },
];

/** Starts some agents, asks for the stop, and kills the server up to 80 ms later. Returns the agents' ids. */
async function crash(site: Site, stop: Stop, random: SeededRandom): Promise<string[]> {
  const server = await site.boot();
  const agents: string[] = [];
  for (let i = random.integer(1, 8); i > 0; i--)
    agents.push(await server.spawn(tokens.sue, 't', random.pick(behaviours)));
  const delayMs = random.next() * 80;
  const answer = server.call(stop.method, stop.path, tokens.sue, { reason: 'drill' }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  await server.crash();
  await answer;
  return agents;
}

function hasOpenOrder(site: Site): boolean {
  const types = eventsOf(site).map((event) => event.type);
  return types.includes('order.requested') && !types.includes('order.settled');
}

/** What must hold after the restart, whatever moment the crash hit. */
async function check(
  site: Site,
  stop: Stop,
  agents: readonly string[],
  broken: (what: string) => void,
): Promise<void> {
  const server = await site.boot();
  const placed = await wasPlaced(server);
  await allSettled(server);
  const events = eventsOf(site);
  const count = (type: AuditEvent['type'], agentId?: string): number =>
    events.filter(
      (event) =>
        event.type === type && (agentId === undefined || ('agentId' in event && event.agentId === agentId)),
    ).length;
  if (count('order.settled') > 1) broken('settled more than once on record');
  if (placed && count('order.requested') !== 1)
    broken('an order that was placed is not on record as requested');
  if (count('order.requested') !== count('order.settled'))
    broken('a requested order is not settled on record');
  for (const agentId of agents) {
    const { body } = await server.call('GET', `/agents/${agentId}/status`, tokens.sue);
    const alive = processesOf(agentId).length;
    if (count('agent.killed', agentId) !== (body.status === 'killed' ? 1 : 0))
      broken(`${agentId} is ${body.status}, killed ${count('agent.killed', agentId)} times on record`);
    if (alive > 0 && body.status !== 'running')
      broken(`${agentId} is ${body.status} with ${alive} processes alive`);
    if (alive > 0 && count('order.settled') > 0) broken(`${agentId} lives after the order was settled`);
  }
  if (stop.latches && count('order.settled') > 0) {
    const spawn = await server.call('POST', '/agents/spawn', tokens.sue, {
      taskId: 't',
      agentType: 'worker',
      workspaceId: 'demo',
    });
    if (spawn.status !== 423) broken(`after the restart a spawn is answered with ${spawn.status}`);
  }
}

async function wasPlaced(server: Life): Promise<boolean> {
  const { body } = await server.call('GET', '/api/orchestrator/status', tokens.sue);
  return body.openOrders.length > 0;
}

async function allSettled(server: Life): Promise<void> {
  const limit = performance.now() + settleMs;
  for (;;) {
    const { body } = await server.call('GET', '/api/orchestrator/status', tokens.sue);
    if (body.openOrders.length === 0) return;
    if (performance.now() > limit)
      throw new Error(`orders still open after ${settleMs} ms: ${JSON.stringify(body.openOrders)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The record, or nothing if the crash came before the first event. */
function eventsOf(site: Site): AuditEvent[] {
  try {
    return site.events();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
