import type { AuditEvent, StopOrder, StopStep } from '@agent-killswitch/core';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';
import type { HostProcess } from './valkey-crash/host-process.ts';
import { found, isAlive, Site } from './valkey-crash/site.ts';

const steps: readonly StopStep[] = [
  ...(['requested', 'confirmed', 'unconfirmed', 'forced', 'claimed'] as const),
  ...(['placed', 'signalled', 'cleaned', 'settled'] as const),
];
const graceMs = 2_000;
/** The other hosts may have done all that a step is about before the killer comes to it. */
const mostTries = 10;

/** The seed decides in which order the steps come; everything else is up to the machine. */
const campaign: Campaign = {
  name: 'valkey-crash',
  summary:
    'The host that was asked, or the one that owns the agents, dies by SIGKILL after each step of a stop: another one settles it in time, or names who is not dead (I1, I4)',
  defaultRounds: 2 * steps.length,
  testRounds: 4,

  run({ rounds, seed, log }) {
    return withServices([serviceNamed('valkey')], async ({ env, missing }) => {
      const url = env.VALKEY_URL;
      if (url === undefined) throw new Error(`No Valkey: ${missing.map(({ why }) => why).join()}`);
      const random = new SeededRandom(seed);
      const violations: string[] = [];
      const faultsFired = { 'the killer died': 0, 'the owner died': 0 };
      let tooLate = 0;
      // On a machine that is busy with other tests five seconds are not what is promised.
      const confirmWithin = rounds < 10 ? 12_000 : 5_000;
      let combinations: Array<readonly [StopStep, 'killer' | 'owner']> = [];
      for (let round = 0; round < rounds; round++) {
        if (combinations.length === 0)
          combinations = random
            .shuffled(steps)
            .flatMap((step) => [[step, 'killer'] as const, [step, 'owner'] as const]);
        const [step, victim] = combinations.shift() ?? ['placed', 'killer'];
        const site = new Site(url);
        const broken = (what: string): void => {
          violations.push(`seed ${seed} round ${round}: ${victim} dies after "${step}": ${what}`);
        };
        try {
          if (await crash(site, step, victim, confirmWithin, broken, log)) {
            faultsFired[`the ${victim} died`] += 1;
            tooLate = 0;
          } else if (tooLate++ < mostTries) {
            combinations.unshift([step, victim]);
            round -= 1;
          } else broken(`the killer never came to take this step in ${mostTries} tries`);
        } catch (error) {
          broken(`${error}`);
        } finally {
          await site.dispose();
        }
      }
      return { violations, faultsFired };
    });
  },
};
export default campaign;

/** One round; `false` if the killer never took the step. */
async function crash(
  site: Site,
  step: StopStep,
  victim: 'killer' | 'owner',
  confirmWithin: number,
  broken: (what: string) => void,
  log: (line: string) => void,
): Promise<boolean> {
  const nature = step === 'forced' ? 'forced' : step === 'unconfirmed' ? 'immortal' : 'easy';
  const boot = (hostId: string) => site.boot(hostId, nature, { forceAfter: 2_000, confirmWithin });
  const [killer, owner, other] = (await Promise.all(['killer', 'owner', 'other'].map(boot))) as [
    HostProcess,
    HostProcess,
    HostProcess,
  ];
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const agentId of ['a', 'b', 'c']) await site.spawn(owner, agentId, 't');
  await site.spawn(killer, 'd', 't');
  await site.spawn(other, 'e', 't');
  const doomed = victim === 'killer' ? killer : owner;
  const stopped = killer.tell({ do: 'stop', scope: { task: 't' }, at: step, victim: doomed.pid });
  const order = await found(Date.now() + 10_000, async () => (await site.orders())[0]);
  if (order === undefined) throw new Error('no order was placed');
  const limit = order.deadlineAt + graceMs;
  const settled = await found(limit, async () => (await site.orders()).find(isSettled));
  const agents = await Promise.all(names.map((name) => site.agent(name)));
  if (!(await found(Date.now() + 2_000, async () => !isAlive(doomed.pid) || undefined))) return false;
  await stopped;
  for (const agent of agents) {
    const named = agent.status === 'killing' ? agent.kill.unconfirmedAt : undefined;
    if (agent.status === 'killed' ? false : named === undefined || named > limit)
      broken(`${agent.agentId} is ${agent.status}, and not named, ${graceMs} ms after the deadline`);
  }
  const areDead = agents.every(({ status }) => status === 'killed');
  if (areDead && settled === undefined) broken('everybody is dead, and the order is open');
  if (settled?.settledAt !== undefined && settled.settledAt > limit)
    broken(`settled ${settled.settledAt - order.deadlineAt} ms after the deadline`);
  const left = [killer, owner, other].filter((host) => host !== doomed);
  for (const host of left) await host.tell({ do: 'relent' });
  if (!(await found(Date.now() + 20_000, async () => (await site.orders()).find(isSettled))))
    broken('never settled');
  if (site.pids.some(isAlive)) broken('somebody lives');
  log(
    `${victim} dies after "${step}": settled ${(settled?.settledAt ?? Number.NaN) - order.requestedAt} ms after the request`,
  );
  await check(site, order.orderId, names, other, broken);
  return true;
}

/** What stands on all journals together, and whether the gate holds. */
async function check(
  site: Site,
  orderId: string,
  names: readonly string[],
  other: HostProcess,
  broken: (what: string) => void,
): Promise<void> {
  const events = new Map<string, AuditEvent>();
  for (const host of site.hosts) for (const event of host.events()) events.set(event.id, event);
  const count = (type: AuditEvent['type'], key: 'orderId' | 'agentId', value: string): number =>
    [...events.values()].filter(
      (event) => event.type === type && (event as unknown as Record<string, unknown>)[key] === value,
    ).length;
  for (const type of ['order.requested', 'order.settled'] as const)
    if (count(type, 'orderId', orderId) !== 1)
      broken(`${type} is on record ${count(type, 'orderId', orderId)} times`);
  for (const agentId of names.map((name) => site.idOf(name)))
    if (count('agent.killed', 'agentId', agentId) !== 1)
      broken(`${agentId} is on record as killed ${count('agent.killed', 'agentId', agentId)} times`);
  const late = await other.tell({ do: 'spawn', agentId: 'late', taskId: 't' });
  if (late?.error !== 'gate-closed') broken(`a late admission is answered with ${JSON.stringify(late)}`);
}

function isSettled({ settledAt }: StopOrder): boolean {
  return settledAt !== undefined;
}
