import { marked, Service } from '../packages/sessions/test/support/service.ts';
import type { AgentKind } from '../packages/sessions/test/support/service-plan.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';

/** However busy the machine is. */
const longestMs = 90_000;
/** A death may take long to be seen, and is seen; only of a deaf session it never will be. */
const confirmMs = { killable: 60_000, deaf: 4_000 };
const killable: readonly AgentKind[] = [
  'child',
  'deaf child',
  'forking child',
  'session',
  'session',
  'worker',
];

/** The seed decides what runs and when the signals come; how far the service has come by then is up to the machine. */
const campaign: Campaign = {
  name: 'shutdown',
  summary:
    'A service with agents of every kind is told to end at random moments: no orphan, all checkpoints, the right exit code',
  defaultRounds: 100,
  testRounds: 3,

  async run({ rounds, seed, log }) {
    const random = new SeededRandom(seed);
    const violations: string[] = [];
    const faultsFired = { signals: 0, 'signals while agents were starting': 0, 'second signals': 0 };
    let deaf = 0;
    for (let round = 0; round < rounds; round++) {
      const prefix = `shutdown-${process.pid}-${seed}-${round}-`;
      // Every fifth has a task that nobody can force.
      const isDeaf = round % 5 === 4;
      const kinds = Array.from({ length: random.integer(4, 16) }, () => random.pick(killable));
      const hasSecond = round % 3 === 1;
      // It uses up the whole grace, so that a second signal finds the first one's work.
      if (hasSecond) kinds.unshift('deaf child');
      if (isDeaf) kinds.unshift('deaf session');
      const service = new Service({
        prefix,
        kinds,
        atOnce: true,
        graceMs: random.integer(50, 400),
        confirmWithin: isDeaf ? confirmMs.deaf : confirmMs.killable,
      });
      const broken = (what: string): void => {
        violations.push(`seed ${seed} round ${round}: ${what}`);
        log(`round ${round}: ${what}`);
      };
      try {
        if (isDeaf) await Promise.race([service.until('deaf'), service.until('fault')]);
        else await service.until(hasSecond ? 'started' : 'port');
        await pause(round % 4 === 0 ? 0 : random.next() * 150);
        faultsFired.signals += 1;
        if (isDeaf) deaf += 1;
        if (!service.told.some((told) => 'ready' in told))
          faultsFired['signals while agents were starting'] += 1;
        service.child.kill(random.pick(['SIGTERM', 'SIGINT']));
        if (hasSecond) {
          await pause(random.next() * 40);
          if (service.child.exitCode === null) faultsFired['second signals'] += 1;
          service.child.kill(random.pick(['SIGTERM', 'SIGINT']));
        }
        const late = setTimeout(() => {
          broken(`not over after ${longestMs} ms`);
          service.child.kill('SIGKILL');
        }, longestMs);
        const { code, signal } = await service.ended();
        clearTimeout(late);
        await check(service, { prefix, code, signal, isDeaf }, broken);
      } catch (error) {
        broken(`${error}`);
      } finally {
        for (const pid of marked(prefix)) process.kill(pid, 'SIGKILL');
        service.dispose();
      }
      if ((round + 1) % 10 === 0)
        log(`round ${round + 1}: ${violations.length} violations, ${deaf} with a deaf session`);
    }
    return { violations, faultsFired };
  },
};
export default campaign;

interface End {
  readonly prefix: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly isDeaf: boolean;
}

async function check(service: Service, given: End, broken: (what: string) => void): Promise<void> {
  // On a disk that does not keep up, it has not begun.
  const end = { ...given, isDeaf: service.told.some((told) => 'deaf' in told) };
  const orphans = marked(end.prefix);
  if (orphans.length > 0) broken(`${orphans.length} orphans: ${orphans.join(', ')}`);
  const expected = end.isDeaf ? 1 : 0;
  if (end.code !== expected || end.signal !== null)
    broken(`exit code ${end.code}, signal ${end.signal}, instead of ${expected}: ${service.errors}`);
  if (end.isDeaf && !service.errors.includes(`Agent "${end.prefix}0" is not confirmed dead`))
    broken(`the deaf session is not named: ${service.errors}`);
  // On a disk that does not keep up, a session does not start.
  for (const told of service.told)
    if ('fault' in told && !told.fault.startsWith('SessionStoreError'))
      broken(`an agent was not started, for ${told.fault}`);
  await checkCheckpoints(service, broken);
  await checkRecord(service, end, broken);
}

/** What was said to be stored is there, or something later; and so are the last words of whoever had time for some. */
async function checkCheckpoints(service: Service, broken: (what: string) => void): Promise<void> {
  const saved = new Map<string, number>();
  const last = new Set<string>();
  for (const told of service.told) {
    if ('saved' in told) saved.set(told.saved, told.value);
    if ('last' in told) last.add(told.last);
  }
  for (const sessionId of new Set([...saved.keys(), ...last])) {
    const checkpoint = (await service.record(sessionId))?.checkpoint;
    const number = checkpoint?.number ?? 0;
    if (number < (saved.get(sessionId) ?? 0))
      broken(`${sessionId} has checkpoint ${number} of ${saved.get(sessionId)}`);
    if (last.has(sessionId) && checkpoint?.json !== '"last words"')
      broken(`the last words of ${sessionId} are lost`);
  }
}

/** Whoever was let in has died under the one stop of the host, once, or was named. */
async function checkRecord(service: Service, { isDeaf }: End, broken: (what: string) => void): Promise<void> {
  const events = await service.events();
  const settled = events.filter(({ type }) => type === 'order.settled');
  if (settled.length !== (isDeaf ? 0 : 1)) broken(`settled ${settled.length} times on record`);
  const requested = events.filter((event) => event.type === 'order.requested');
  // The last resort is what has to do where the disk does not keep up, and nobody can wait any longer.
  const isOnRecord = requested.some(({ operation }) => operation === 'stop-host');
  if (!isOnRecord && !(isDeaf && service.errors.includes('"stop-host"')))
    broken('the shutdown is not on record');
  const killed = events.flatMap((event) => (event.type === 'agent.killed' ? [event.agentId] : []));
  if (new Set(killed).size !== killed.length) broken('an agent was killed twice on record');
  const started = service.told.flatMap((told) => ('started' in told ? [told.started] : []));
  const unnamed = started.filter((agentId) => !killed.includes(agentId) && !service.errors.includes(agentId));
  if (unnamed.length > 0) broken(`started, and neither killed on record nor named: ${unnamed.join(', ')}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
