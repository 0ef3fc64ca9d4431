import { describe, expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Observation, Runtime } from './ports/runtime.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { type Harness, harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };
const newcomer = { agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

/** The steps of all stops of a host, each with its time since now in milliseconds. */
function stepsOf({ ks, clock }: Harness): string[] {
  const start = clock.now();
  const steps: string[] = [];
  ks.on('step', ({ step, agentId, at }) => steps.push(`${at - start} ${step} ${agentId ?? ''}`.trim()));
  return steps;
}

describe('a stop is settled as soon as', () => {
  it('the last one that dies at once is dead', async () => {
    const h = await harness();
    const steps = stepsOf(h);
    for (const agentId of ['a1', 'a2', 'a3']) await h.agent(agentId, { task: 't' });
    await h.during(100, h.ks.kill({ task: 't' }, request));
    expect(steps.at(-1)).toBe('0 settled');
  });

  it('another host has seen its agents dead', async () => {
    const state = memoryState();
    const a = await harness({ state });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    await b.agent('b1', { task: 't', behaviour: 'stubborn' });
    const report = await a.during(6_000, a.ks.kill({ task: 't' }, request));
    const confirmedAt = report.outcomes[0]?.confirmedAt ?? 0;
    expect((report.settledAt ?? Number.NaN) - confirmedAt).toBeLessThanOrEqual(30);
  });
});

it('says when each of a volley was seen dead, not when that was stored', async () => {
  const clock = manualClock();
  const real = memoryRuntime();
  const runtime: Runtime = {
    ...real,
    inspect: async (handle, context) => {
      if (context.agentId === 'late') await new Promise<void>((resolve) => clock.setTimer(7, resolve));
      return real.inspect(handle, context);
    },
  };
  const { ks } = await harness({ clock, runtimes: { memory: runtime } });
  for (const agentId of ['early', 'late']) {
    await ks.admit({ ...newcomer, agentId });
    await ks.running(agentId, [real.spawn()]);
  }
  const killing = ks.kill({ task: 't' }, request);
  await clock.advance(1_000);
  const { outcomes, requestedAt } = await killing;
  expect(outcomes.map(({ agentId, confirmedAt = 0 }) => [agentId, confirmedAt - requestedAt])).toEqual([
    ['early', 0],
    ['late', 7],
  ]);
});

it('I1: a stop settles only on a look at its scope that began after its last cleanup', async () => {
  const real = memoryState();
  const calls: string[] = [];
  const state = patchedStore(real, {
    listAgents: (key, page) => {
      calls.push('look');
      return real.listAgents(key, page);
    },
    swapOrder: (order) => {
      if (order.settledAt !== undefined) calls.push('settle');
      return real.swapOrder(order);
    },
  });
  const run = async (): Promise<void> => {
    await new Promise<void>((resolve) => h.clock.setTimer(5, resolve));
    calls.push('cleaned');
  };
  const h: Harness = await harness({ state, cleanup: [{ name: 'worktree', appliesTo: () => true, run }] });
  await h.agent('a1', { task: 't' });
  const steps = stepsOf(h);
  await h.during(1_000, h.ks.kill({ task: 't' }, request));
  expect(calls.slice(calls.lastIndexOf('cleaned'))).toEqual(['cleaned', 'look', 'settle']);
  expect(steps.slice(-2)).toEqual(['5 cleaned a1', '5 settled']);
});

it('whoever is listed as alive is not read one by one', async () => {
  const real = memoryState();
  let reads = 0;
  const state = patchedStore(real, {
    getAgent: (agentId) => {
      reads += 1;
      return real.getAgent(agentId);
    },
  });
  const h = await harness({ state });
  for (let n = 0; n < 20; n++) await h.agent(`a${n}`, { task: 't', behaviour: 'immortal' });
  await h.ks.kill({ task: 't' }, { ...request, waitMs: 0 });
  await h.clock.advance(1_000);
  reads = 0;
  await h.clock.advance(3_000);
  expect(reads).toBe(0);
});

/** Two hosts whose runtimes both reach the agents, each as it is given. */
async function twoHosts(ofA: Runtime, ofB: Runtime) {
  const state = memoryState();
  const a = await harness({ state, runtimes: { memory: ofA } });
  const b = await harness({
    ...{ state, runtimes: { memory: ofB }, hostId: 'host-2', clock: a.clock, audit: a.audit },
  });
  return { a, b, state };
}

it('of two hosts that see the same death, the one that stored it tells of it', async () => {
  const memory = memoryRuntime();
  const agents: Runtime = { ...memory, reach: 'network' };
  const slow: Runtime = {
    ...agents,
    inspect: async (handle, context) => {
      await new Promise<void>((resolve) => a.clock.setTimer(30, resolve));
      return agents.inspect(handle, context);
    },
  };
  const { a, b } = await twoHosts(agents, slow);
  const [ofA, ofB] = [stepsOf(a), stepsOf(b)];
  await b.ks.admit(newcomer);
  await b.ks.running('a1', [memory.spawn()]);
  const other = memory.spawn('immortal');
  await a.ks.admit({ ...newcomer, agentId: 'a2' });
  await a.ks.running('a2', [other]);
  const kill = b.ks.kill({ task: 't' }, request);
  await a.clock.advance(1_000);
  memory.end(other);
  await a.during(6_000, kill);
  const confirmed = [...ofA, ...ofB].filter((step) => step.endsWith('confirmed a1'));
  expect(confirmed).toHaveLength(1);
});

it('I1: a handle that another host has stored meanwhile is a way to the agent', async () => {
  const memory = memoryRuntime();
  const agents: Runtime = { ...memory, reach: 'network' };
  const never = (): Promise<never> => new Promise(() => undefined);
  const { a, b } = await twoHosts(agents, { ...agents, kill: never, force: never, inspect: never });
  await b.ks.admit(newcomer);
  const kill = a.ks.kill({ task: 't' }, request);
  await a.clock.advance(1_000);
  const handle = memory.spawn();
  await b.ks.running('a1', [handle]);
  await a.clock.advance(700);
  expect(memory.isAlive(handle)).toBe(false);
  expect(await a.during(3_000, kill)).toMatchObject({ settled: true, killed: 1 });
});

it('I3: nobody is dead whose second handle came while the first was looked at', async () => {
  const memory = memoryRuntime();
  let second: Handle | undefined;
  const runtime: Runtime = {
    ...memory,
    inspect: async (handle, context): Promise<Observation> => {
      const seen = await memory.inspect(handle, context);
      if (second === undefined) {
        second = memory.spawn('stubborn');
        await h.ks.running('a1', [second]);
      }
      return seen;
    },
  };
  const h: Harness = await harness({ runtimes: { memory: runtime } });
  await h.ks.admit(newcomer);
  await h.ks.running('a1', [memory.spawn()]);
  const kill = h.ks.kill({ task: 't' }, request);
  await h.clock.advance(1_000);
  expect(await h.ks.agent('a1')).toMatchObject({ status: 'killing' });
  expect(h.events('agent.killed')).toEqual([]);
  expect(await h.during(3_000, kill)).toMatchObject({ settled: true, killed: 1 });
  expect(second && memory.isAlive(second)).toBe(false);
});

it('I1: who is being told to die is named in an overdue report, also if their claim is in memory alone', async () => {
  const store = memoryState();
  const refused = async (): Promise<never> => Promise.reject(new Error('connection refused'));
  const link = flakyStore(store);
  let isFull = false;
  const a = await harness({
    state: patchedStore(link.state, {
      swapAgents: (agents) => (isFull ? refused() : link.state.swapAgents(agents)),
    }),
  });
  const blind = patchedStore(store, {
    listAgents: (key, page) => (key === 'workspace:w1' ? refused() : store.listAgents(key, page)),
  });
  const b = await harness({ state: blind, hostId: 'host-2', clock: a.clock, audit: a.audit });
  await a.agent('a1', { behaviour: 'hung' });
  link.reach = 'down';
  void b.ks.kill({ workspace: 'w1' }, request);
  await a.clock.advance(6_000);

  link.reach = 'up';
  isFull = true;
  // Joins what was overdue before it: answered in the middle of the volley.
  const report = await a.during(100, a.ks.kill({ workspace: 'w1' }, request));
  expect(report).toMatchObject({ settled: false, total: 1, failed: 1 });
  expect(report.outcomes).toMatchObject([{ agentId: 'a1', outcome: 'unconfirmed' }]);
});
