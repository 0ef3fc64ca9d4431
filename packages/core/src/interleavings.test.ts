/**
 * Every order in which the port calls of commands that race can come, not a sample of them: depth first, replayed from
 * the start each time. Nobody survives, one wins, and the record tells it once.
 */
import { describe, expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import type { ReleaseReport } from './releases.ts';
import type { Scope } from './scope.ts';
import { root } from './testing/harness.ts';
import { apart } from './testing/interleaving/apart.ts';
import { type Race, type Raced, race } from './testing/interleaving/race.ts';
import { RaceWorld, type RaceWorldOptions } from './testing/interleaving/race-world.ts';
import { recordFaults } from './testing/interleaving/record-faults.ts';

const request = { principal: root, reason: 'drill' };
const parent = { agentId: 'p', taskId: 't', workspaceId: 'w1', ownerId: 'alice', backendId: 'b' };
const newcomer = { ...parent, agentId: 'c' };
const child = { ...parent, agentId: 'c', parentId: 'p' };

/** On one host commands share memory, so every order counts; what stands on record is no part of these races. */
const oneHost: RaceWorldOptions = {
  hosts: ['host-1'],
  slowAnswers: ['state.admit'],
  atOnce: ['state.getTask', 'state.listGates', 'audit.append'],
};

async function started(options: RaceWorldOptions): Promise<RaceWorld> {
  const world = new RaceWorld(options);
  for (const { ks } of world.hosts) await world.finish(ks.start());
  return world;
}

async function withParent(options: RaceWorldOptions): Promise<RaceWorld> {
  const world = await started(options);
  await world.finish(world.startAgent(world.host(0), parent));
  return world;
}

async function run(title: string, wanted: Race): Promise<Raced> {
  const raced = await race(wanted);
  console.info(`${title}: ${raced.runs} orders`);
  expect(raced.faults).toEqual([]);
  return raced;
}

const scopes: ReadonlyArray<[string, Scope]> = [
  ['agent', { agent: 'p' }],
  ['task', { task: 't' }],
  ['workspace', { workspace: 'w1' }],
  ['backend', { backend: 'b' }],
  ['everything', { everything: true }],
];

describe.each(scopes)('admit, kill %s, handle arrives', (kind, scope) => {
  const hold = kind !== 'agent' && kind !== 'task';
  const admitAndKill = (options: RaceWorldOptions, killer: number, commute?: Race['commute']): Race => {
    let isIn = false;
    return {
      world: () => withParent(options),
      commands: (world) => {
        isIn = false;
        const start = world.startAgent(world.host(0), child);
        const done = (): void => {
          isIn = true;
        };
        start.then(done, done);
        return [start, world.host(killer).ks.kill(scope, { ...request, hold })];
      },
      isOver: () => isIn,
      faults: async (world) => [
        ...world.alive().map((agentId) => `${agentId} survives`),
        ...(await recordFaults(world)),
      ],
      ...(commute && { commute }),
    };
  };

  it('I1: nobody survives, in any order on one host', async () => {
    expect((await run(`${kind}, one host`, admitAndKill(oneHost, 0))).runs).toBeGreaterThan(100);
  }, 120_000);

  it('I1: nobody survives, in any order on two hosts', async () => {
    const twoHosts = { ...oneHost, hosts: ['host-1', 'host-2'], atOnce: [] };
    expect((await run(`${kind}, two hosts`, admitAndKill(twoHosts, 1, apart))).runs).toBeGreaterThan(10);
  });
});

describe('complete, kill, kill', () => {
  const completeAndKill = (
    options: RaceWorldOptions,
    killers: readonly [number, Scope][],
    commute?: Race['commute'],
  ): Race => ({
    world: () => withParent(options),
    commands: (world) => {
      const { ks, runtime, name } = world.host(0);
      const end = async (): Promise<boolean> => {
        await world.turns.wait(name, 'runtime.end');
        runtime.end({ runtime: 'memory', id: 0 });
        return ks.completed('p');
      };
      return [end(), ...killers.map(([host, scope]) => world.host(host).ks.kill(scope, request))];
    },
    isOver: async (world) => isEnded(await world.state.getAgent('p')),
    faults: async (world, [ended]) => {
      const agent = await world.state.getAgent('p');
      const isWinner = agent?.status === 'completed';
      const wins =
        ended?.status === 'fulfilled' && ended.value === isWinner
          ? []
          : [`completed is told ${JSON.stringify(ended)} of a ${agent?.status} agent`];
      return [
        ...wins,
        ...world.alive().map((agentId) => `${agentId} survives`),
        ...(await recordFaults(world)),
      ];
    },
    ...(commute && { commute }),
  });
  const task = { task: 't' };

  it('I2: one wins, in any order on one host', async () => {
    const quick = { ...oneHost, atOnce: [...(oneHost.atOnce ?? []), 'state.getOrder', 'state.listOrder'] };
    const wanted = completeAndKill(quick, [
      [0, task],
      [0, task],
    ]);
    expect((await run('complete, kill, kill on one host', wanted)).runs).toBeGreaterThan(1_000);
  }, 120_000);

  it('I2: one wins, in any order on two hosts', async () => {
    const atOnce = ['state.getTask', 'state.getOrder', 'state.listOrder', 'audit.append'];
    const twoHosts = { ...oneHost, hosts: ['host-1', 'host-2'], atOnce, isNetwork: true };
    const wanted = completeAndKill(twoHosts, [[1, task]], apart);
    expect((await run('complete, kill on two hosts', wanted)).runs).toBeGreaterThan(10);
  }, 120_000);
});

describe('emergency stop, release, admit', () => {
  it('I9: whoever was there dies, and whoever lives came after the release, in any order on three hosts', async () => {
    let answered = 0;
    const wanted: Race = {
      world: () =>
        started({
          ...oneHost,
          hosts: ['host-1', 'host-2', 'host-3'],
          atOnce: ['audit.append', 'state.getAgent', 'state.listOrder'],
          hints: false,
        }),
      commands: (world) => {
        answered = 0;
        const done = (): void => {
          answered += 1;
        };
        const start = world.startAgent(world.host(0), newcomer);
        const release = world.host(1).ks.release({ everything: true }, request);
        start.then(done, done);
        release.then(done, done);
        return [release, start, world.host(2).ks.emergencyStop(request)];
      },
      isOver: () => answered === 2,
      faults: async (world, [release]) => {
        const report = release?.status === 'fulfilled' ? (release.value as ReleaseReport) : undefined;
        const [admitted, opened] = ['host-1 state.admit 1', 'host-2 state.release 1'].map((key) =>
          world.turns.taken.indexOf(key),
        );
        const isLetIn =
          report?.gates.length === 1 && admitted !== undefined && opened !== undefined && admitted > opened;
        const alive = world.alive().join();
        return [
          ...(alive === (isLetIn ? 'c' : '') ? [] : [`[${alive}] is alive, c was let in: ${isLetIn}`]),
          ...(await recordFaults(world)),
        ];
      },
      commute: apart,
    };
    expect((await run('emergency stop, release, admit on three hosts', wanted)).runs).toBeGreaterThan(100);
  }, 120_000);
});

function isEnded(agent: Agent | undefined): boolean {
  return agent?.status === 'completed' || agent?.status === 'killed';
}
