import { describe, expect, it } from 'vitest';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };
const trap = (): never => {
  throw new Error('a trap');
};

/** What adapters throw that should not. */
const thrown: ReadonlyArray<[string, () => unknown]> = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a text', () => 'boom'],
  ['a symbol', () => Symbol('boom')],
  ['what cannot be read', () => new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap })],
  ['a promise that never settles', () => new Promise(() => undefined)],
];

/** Throws, or rejects with, what it is given. */
const ways: ReadonlyArray<[string, (value: () => unknown) => () => never]> = [
  [
    'throws',
    (value) => () => {
      throw value();
    },
  ],
  ['rejects with', (value) => () => Promise.reject(value()) as never],
];

describe.each(ways)('I5: whoever %s', (_, make) => {
  it.each(thrown)('%s breaks nothing', async (_name, value) => {
    const fault = make(value);
    const memory = memoryRuntime();
    const bad: Runtime = {
      ...{ reach: 'host', canForce: true, stop: fault, kill: fault, force: fault },
      ...{ inspect: fault, locate: fault },
    };
    const ran: string[] = [];
    const link = flakyStore(memoryState());
    const h = await harness({
      state: link.state,
      runtimes: { memory, bad },
      authorizer: { decide: fault },
      cleanup: [
        { name: 'bad', appliesTo: fault, run: fault },
        { name: 'good', appliesTo: () => true, run: async ({ agentId }) => void ran.push(agentId) },
      ],
    });
    for (const name of ['step', 'transition', 'warning'] as const) h.ks.on(name, fault);
    const agent = { taskId: 't', workspaceId: 'w1', ownerId: 'alice' };
    for (const agentId of ['a1', 'a2']) await h.ks.admit({ ...agent, agentId });
    await h.ks.running('a1', [memory.spawn('stubborn')]);
    await h.ks.running('a2', [{ runtime: 'bad' }]);
    const report = await h.during(6_000, h.ks.kill({ task: 't' }, request));
    expect(report).toMatchObject({ total: 2, killed: 1, failed: 1 });
    expect(ran).toEqual(['a1']);
    expect((await h.ks.agent('a1')).ledger).toMatchObject([
      { step: 'bad', status: 'failed' },
      { step: 'good', status: 'done' },
    ]);
  });

  it.each(thrown)('%s where nothing may fail any more breaks no kill', async (_name, value) => {
    const audit = memoryAudit();
    const h = await harness({
      audit: { ...audit, append: make(value) },
      lastResort: make(value),
    });
    const handle = await h.agent('a1');
    const report = await h.during(6_000, h.ks.kill({ workspace: 'w1' }, request));
    expect(report).toMatchObject({ settled: false, killed: 1 });
    expect(h.runtime.isAlive(handle)).toBe(false);
  });

  it.each(thrown)('%s instead of an answer of the store stops no kill', async (_name, value) => {
    const real = memoryState();
    let isBroken = false;
    const state = new Proxy(real, {
      get: (target, name: keyof typeof real) =>
        isBroken && name !== 'watch' ? make(value) : target[name]?.bind(target),
    });
    const h = await harness({ state });
    const handle = await h.agent('a1', { behaviour: 'stubborn' });
    isBroken = true;
    const kill = h.ks.kill({ everything: true }, request);
    await h.clock.advance(2_200);
    expect(h.runtime.isAlive(handle)).toBe(false);
    isBroken = false;
    expect(await h.during(6_000, kill)).toMatchObject({ settled: true, killed: 1 });
  });
});

it('I5: what a listener does to what it is told changes nothing, also where no store has a copy of it', async () => {
  const link = flakyStore(memoryState());
  const h = await harness({ state: link.state });
  const handle = await h.agent('a1', { task: 't' });
  h.ks.on('step', ({ order }) => Object.assign(order, { scope: { task: 'other' }, deadlineAt: 1 }));
  link.reach = 'down';
  const kill = h.ks.kill({ task: 't' }, request);
  await h.clock.advance(500);
  expect(h.runtime.isAlive(handle)).toBe(false);
  expect((await h.ks.status()).gates).toMatchObject([{ scope: { task: 't' } }]);
  link.reach = 'up';
  expect(await h.during(5_000, kill)).toMatchObject({ settled: true, scope: { task: 't' }, killed: 1 });
});
