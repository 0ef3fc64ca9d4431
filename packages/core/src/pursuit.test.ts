import { describe, expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import { createKillswitch } from './create-killswitch.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime, RuntimeContext } from './ports/runtime.ts';
import { alice, harness, root } from './testing/harness.ts';

const reason = 'it went rogue';

/** An agent with two routes to it: an orchestrator that may not answer, and its container. */
async function twoRoutes(orchestrator: Partial<Runtime>) {
  const container = memoryRuntime('container');
  const refuse = async (): Promise<never> => {
    throw new Error('no answer');
  };
  const broken: Runtime = {
    reach: 'network',
    canForce: false,
    kill: refuse,
    force: refuse,
    inspect: refuse,
    ...orchestrator,
  };
  const h = await harness({ runtimes: { orchestrator: broken, container } });
  await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = container.spawn('stubborn');
  await h.ks.running('a1', [{ runtime: 'orchestrator', url: 'x' }, handle]);
  return { h, container, handle };
}

describe('the ladder over several routes', () => {
  it('I5: takes the next route at the force time when the preferred one hangs', async () => {
    const hung = (): Promise<never> => new Promise(() => undefined);
    const { h, container, handle } = await twoRoutes({ kill: hung, force: hung, inspect: hung });
    const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
    await h.clock.advance(2_050);
    expect(container.isAlive(handle)).toBe(false);
    expect((await h.during(1_500, kill)).outcomes[0]).toMatchObject({ outcome: 'confirmed', forced: true });
  });

  it('I3: does not believe a route that says dead while another sees it alive', async () => {
    const { h, container, handle } = await twoRoutes({
      kill: async () => undefined,
      inspect: async () => ({ state: 'dead', evidence: 'the orchestrator says so' }),
    });
    const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
    await h.clock.advance(1_900);
    expect((await h.ks.agent('a1')).status).toBe('killing');
    await h.during(1_000, kill);
    expect(container.isAlive(handle)).toBe(false);
    expect((await h.ks.agent('a1')).status).toBe('killed');
  });

  it('I3: the success of a kill is no death', async () => {
    const { h } = await twoRoutes({
      kill: async () => undefined,
      force: async () => undefined,
      inspect: async () => ({ state: 'unknown', evidence: 'cannot look' }),
    });
    const immortal = h.ks.kill({ task: 't' }, { principal: alice, reason, waitMs: 1_000 });
    expect(await h.during(1_200, immortal)).toMatchObject({ settled: false, killed: 0 });
  });

  it.each([
    [
      'throws synchronously',
      () => {
        throw new Error('sync');
      },
    ],
    ['rejects with undefined', () => Promise.reject(undefined)],
    ['answers nonsense', () => Promise.resolve(undefined)],
    [
      'has a throwing getter',
      () =>
        Promise.resolve(
          Object.defineProperty({}, 'state', {
            get: () => {
              throw new Error('getter');
            },
          }),
        ),
    ],
  ])('contains an inspection that %s', async (_, inspect) => {
    const { h } = await twoRoutes({ inspect: inspect as never });
    expect(
      (await h.during(6_000, h.ks.kill({ task: 't' }, { principal: alice, reason }))).outcomes[0],
    ).toMatchObject({ agentId: 'a1' });
    expect((await h.ks.agent('a1')).status).toBe('killed');
  });

  it('I12: leaves few calls hanging on a route that never answers', async () => {
    let calls = 0;
    const hung = (): Promise<never> => {
      calls += 1;
      return new Promise(() => undefined);
    };
    const runtime: Runtime = { reach: 'network', canForce: true, kill: hung, force: hung, inspect: hung };
    const h = await harness({ runtimes: { hung: runtime } });
    await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await h.ks.running('a1', [{ runtime: 'hung' }]);
    const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
    await h.clock.advance(20_000);
    expect((await kill).outcomes[0]).toMatchObject({ outcome: 'unconfirmed', forced: true });
    expect(calls).toBeLessThanOrEqual(10);
    expect(calls).toBeGreaterThanOrEqual(7);
  });
});

it('I5: whoever is not confirmed dead is told to die at the usual pace when it is stopped again', async () => {
  const demands: number[] = [];
  const start = Date.UTC(2026, 0, 1);
  const memory = memoryRuntime();
  const h = await harness({
    runtimes: {
      memory: {
        ...memory,
        force: async (handle, context) => {
          demands.push(h.clock.now() - start);
          await memory.force(handle, context);
        },
      },
    },
  });
  await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = memory.spawn('immortal');
  await h.ks.running('a1', [handle]);
  void h.ks.kill({ task: 't' }, { principal: alice, reason });
  await h.clock.advance(7_300);
  const before = demands.length;
  const again = h.clock.now() - start;
  void h.ks.kill({ workspace: 'w1' }, { principal: root, reason });
  await h.clock.advance(1_100);
  const gaps = demands.slice(before).map((at, i) => at - (i === 0 ? again : (demands[before + i - 1] ?? 0)));
  expect(gaps.length).toBeGreaterThanOrEqual(2);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(600);
  memory.end(handle);
  await h.clock.advance(3_000);
});

describe('an agent of an earlier life of its host, without a handle', () => {
  async function restarted(found: readonly Handle[]) {
    const state = memoryState();
    const first = await harness({ state });
    await first.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const stop = first.ks.emergencyStop({ principal: root, reason });
    await first.clock.advance(300);
    await first.ks.close();
    stop.catch(() => undefined);
    const runtime = memoryRuntime();
    for (const _ of found) runtime.spawn();
    await first.clock.advance(1_000);
    const ks = createKillswitch({
      hostId: 'host-1',
      state,
      audit: first.audit,
      runtimes: { memory: { ...runtime, locate: async () => found } },
      clock: first.clock,
      lastResort: () => undefined,
    });
    await ks.start();
    await first.clock.advance(1_500);
    return { agent: await ks.agent('a1'), runtime };
  }

  it('is located and killed', async () => {
    const handle = { runtime: 'memory', id: 0 };
    const { agent, runtime } = await restarted([handle]);
    expect(agent.status).toBe('killed');
    expect(runtime.isAlive(handle)).toBe(false);
  });

  it('is dead if every runtime says that there is no trace of it', async () => {
    const { agent } = await restarted([]);
    expect(agent).toMatchObject({
      status: 'killed',
      kill: { evidence: expect.stringContaining('no runtime finds a trace') },
    });
  });
});

describe('every demand carries the reason that was given for the stop', () => {
  it('in a volley, while asking, and when forced', async () => {
    const told: string[] = [];
    const note = (call: string) => async (_: Handle, context: RuntimeContext) => {
      told.push(`${call}: ${context.reason}`);
    };
    const stubborn: Runtime = {
      reach: 'host',
      canForce: true,
      stop: note('stop'),
      kill: note('kill'),
      force: note('force'),
      inspect: async () => ({ state: 'alive', evidence: 'stubborn' }),
    };
    const h = await harness({ runtimes: { stubborn } });
    for (const agentId of ['one', 'two']) {
      await h.ks.admit({ agentId, taskId: agentId, workspaceId: 'w1', ownerId: 'alice' });
      await h.ks.running(agentId, [{ runtime: 'stubborn' }]);
    }
    void h.ks.kill({ task: 'one' }, { principal: alice, reason: 'volley' });
    await h.clock.advance(3_000);
    expect(new Set(told.splice(0))).toEqual(new Set(['kill: volley', 'force: volley']));
    void h.ks.stop({ task: 'two' }, { principal: alice, reason: 'please', graceMs: 500 });
    await h.clock.advance(400);
    expect(told).toContain('stop: please');
  });
});

it('I1: an answer at the deadline names who is not confirmed dead, also where timers go off early', async () => {
  const clock: Clock = {
    now: () => Date.now(),
    setTimer(ms, fire) {
      const timer = setTimeout(fire, ms - 3);
      return () => clearTimeout(timer);
    },
  };
  const memory = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'h1',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory },
    clock,
    deadlines: { forceAfter: 20, confirmWithin: 60 },
  });
  await ks.start();
  await ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  await ks.running('a1', [memory.spawn('immortal')]);
  const report = await ks.kill({ task: 't' }, { principal: root, reason });
  expect(report).toMatchObject({ settled: false, failed: 1, outcomes: [{ outcome: 'unconfirmed' }] });
  await ks.close();
});
