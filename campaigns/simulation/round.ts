import type { MemoryAudit } from '@agent-killswitch/core/memory';
import { SeededRandom } from '../seeded-random.ts';
import { Asking } from './asking.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import { Hosts, makeMortal } from './hosts.ts';
import type { Life } from './life.ts';
import { realCore, type SimulatedCore } from './simulated-core.ts';
import { Timeline } from './timeline.ts';
import { isQuiet, unrest } from './unrest.ts';
import type { World } from './world.ts';

const start = Date.UTC(2026, 0, 1);
/** How long a settled world may take at the most after everything is well again. */
const settleMs = 120_000;

/** A round played to its end: what happened, for the checks to judge. */
export interface Round {
  readonly world: World;
  readonly history: History;
  /** Every sink once. */
  readonly sinks: readonly MemoryAudit[];
  /** When all faults but the agents' own nature had ended and every host was up, perhaps still starting. */
  readonly healedAt: number;
  /** When the agents became mortal: the state right before that, by agent. */
  readonly beforeMortality: { readonly at: number; readonly living: readonly string[]; readonly seq: number };
  /** What was still under way long after everything was well again. */
  readonly unrest: readonly string[];
  /** When it came to rest, or was given up on. */
  readonly restAt: number;
  /** Timers of the library that were still running at rest, by life, and after all killswitches had been closed. */
  readonly timersAtRest: ReadonlyMap<Life, number>;
  readonly timersAfterClose: ReadonlyMap<Life, number>;
  readonly steps: number;
}

export interface RoundOptions {
  /** What the hosts run. Default: the real core. */
  readonly core?: SimulatedCore;
  /** Hears what everybody does, a line each. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Plays one round: hosts, agents, faults and requests by chance; then everything heals and comes to rest. */
export async function playRound(seed: number, { core = realCore, trace }: RoundOptions = {}): Promise<Round> {
  const random = new SeededRandom(seed);
  const timeline = new Timeline(start, random.fork());
  const history = new History(timeline);
  const hostIds = ['h1', 'h2', 'h3', 'h4'].slice(0, random.integer(2, 5));
  const shared = core.memoryAudit();
  const isShared = random.chance(0.5);
  const sinks = new Map(hostIds.map((hostId) => [hostId, isShared ? shared : core.memoryAudit()]));
  const up = new Map<string, Life>();
  const faults = new Faults(random.fork());
  const world: World = {
    timeline,
    random: random.fork(),
    faults,
    history,
    deadlines: { forceAfter: 600, confirmWithin: 1_500, cleanup: 400, state: 200, lease: 4_000 },
    approvals: random.pick([1, 1, 2]),
    hostIds,
    core,
    state: core.memoryState(),
    sinks,
    outages: [],
    up,
    crash: (life, why) => hosts.crash(life, why),
    trace: (who, what) => trace?.(`${String(timeline.now - start).padStart(6)} ${who.padEnd(6)} ${what}`),
  };
  const hosts = new Hosts(world, random.fork());
  const asking = new Asking(world, random.fork());
  const lastingMs = random.pick([2_000, 5_000, 9_000]);
  plan(world, hosts, asking, random.fork(), lastingMs);
  await timeline.run(start + lastingMs, () => false);

  world.trace('world', 'heals: every host up, nothing goes wrong any more');
  faults.heal();
  world.outages = [];
  for (const life of up.values()) life.doom = undefined;
  for (const hostId of hostIds) hosts.boot(hostId);
  const healedAt = timeline.now;
  await timeline.run(healedAt + 30_000, () => isQuiet(world, { butLiving: true }));
  const beforeMortality = { at: timeline.now, living: livingIds(history), seq: history.moment().seq };

  world.trace('world', 'agents become mortal');
  makeMortal(world);
  await timeline.run(timeline.now + settleMs, () => isQuiet(world));
  const underWay = [...unrest(world)];
  const restAt = timeline.now;
  // Whatever would come back to life has time to, and a recorder that pauses goes on.
  await timeline.run(timeline.now + 7_000, () => false);
  const timersAtRest = timersOf(up.values());
  const lives = [...up.values()];
  let open = lives.length;
  for (const { killswitch, name } of lives) {
    killswitch.close().then(
      () => open--,
      (error) => history.broken.push(`I4: ${name} cannot save everything at rest: ${error}`),
    );
  }
  await timeline.run(timeline.now + 5_000, () => false);
  if (open > 0) history.broken.push(`I12: ${open} killswitches do not close`);
  return {
    world,
    history,
    sinks: isShared ? [shared] : [...sinks.values()],
    healedAt,
    beforeMortality,
    unrest: underWay,
    restAt,
    timersAtRest,
    timersAfterClose: timersOf(lives),
    steps: timeline.steps,
  };
}

/** Spreads what happens over the round. */
function plan(world: World, hosts: Hosts, asking: Asking, random: SeededRandom, lastingMs: number): void {
  const { timeline, hostIds, faults, up } = world;
  for (const hostId of hostIds) timeline.after(random.integer(0, 50), () => hosts.boot(hostId));
  for (let i = random.integer(8, 28); i > 0; i--)
    timeline.after(random.integer(60, lastingMs), () => asking.next());
  for (let i = random.integer(1, 6); i > 0; i--)
    timeline.after(random.integer(60, 400), () => {
      const life = [...up.values()].find((each) => each.isReady);
      if (life !== undefined) asking.admit(life);
    });
  for (const port of ['store', 'sink'] as const) {
    if (!faults.has(`${port}: outage`)) continue;
    const from = start + random.integer(100, lastingMs);
    world.outages.push({
      port,
      hostIds: random.chance(0.5) ? hostIds : [random.pick(hostIds)],
      from,
      until: from + random.integer(200, 6_000),
      mode: random.pick(['refuses', 'hangs', 'answers lost']),
    });
  }
  for (const kind of ['host: crash between steps', 'host: shutdown'] as const) {
    if (!faults.has(kind)) continue;
    timeline.after(random.integer(200, lastingMs), () => {
      const life = up.get(random.pick(hostIds));
      if (life === undefined || faults.healed) return;
      faults.count(kind);
      if (kind === 'host: shutdown') hosts.shutDown(life);
      else hosts.crash(life, 'all of a sudden');
    });
  }
}

function livingIds({ bodies }: History): string[] {
  return [...bodies.values()].filter(({ diedAt }) => diedAt === undefined).map(({ agentId }) => agentId);
}

function timersOf(lives: Iterable<Life>): Map<Life, number> {
  return new Map([...lives].map((life) => [life, life.timers]));
}
