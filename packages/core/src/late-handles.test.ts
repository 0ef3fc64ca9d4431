import { expect, it } from 'vitest';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };
const newcomer = { agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

/** A runtime that never answers, and how many calls of a kind hang on it. */
function hung() {
  const calls: Record<string, number> = {};
  const hang = (kind: string) => () => {
    calls[kind] = (calls[kind] ?? 0) + 1;
    return new Promise<never>(() => undefined);
  };
  const runtime: Runtime = {
    reach: 'network',
    canForce: true,
    kill: hang('kill'),
    force: hang('force'),
    inspect: hang('inspect'),
  };
  return { runtime, calls };
}

it('I5: a handle that came too late is destroyed although another one of the agent hangs', async () => {
  const memory = memoryRuntime();
  const h = await harness({ runtimes: { memory, hung: hung().runtime } });
  await h.ks.admit(newcomer);
  await h.ks.failed('a1', 'no handle came');
  const late = memory.spawn('stubborn');
  await h.ks.running('a1', [{ runtime: 'hung' }, late]);
  await h.clock.advance(10);
  expect(memory.isAlive(late)).toBe(false);
});

it('I12: few calls are left hanging on a handle that came too late and never answers', async () => {
  const { runtime, calls } = hung();
  const h = await harness({ runtimes: { hung: runtime } });
  await h.ks.admit(newcomer);
  await h.ks.failed('a1', 'no handle came');
  await h.ks.running('a1', [{ runtime: 'hung' }]);
  await h.ks.running('a1', [{ runtime: 'hung' }]);
  await h.clock.advance(20_000);
  expect(calls).toEqual({ force: 3, inspect: 3 });
  await h.clock.advance(40_000);
  expect(calls).toEqual({ force: 4, inspect: 4 });
});

it('nothing is destroyed any more once the killswitch is closed', async () => {
  const { runtime, calls } = hung();
  const h = await harness({ runtimes: { hung: runtime } });
  await h.ks.admit(newcomer);
  await h.ks.failed('a1', 'no handle came');
  await h.ks.running('a1', [{ runtime: 'hung' }]);
  await h.clock.advance(500);
  await expect(h.ks.close()).rejects.toThrow('"a1" is on record as failed');
  await h.clock.advance(60_000);
  expect(calls).toEqual({ force: 1 });
});

it('I1: a handle that the store was told of after the end is destroyed, and named until then', async () => {
  const state = memoryState();
  const cut = { isOn: false };
  const refuse = async (): Promise<never> => {
    throw new Error('connection refused');
  };
  const a = await harness({ state });
  const b = await harness({
    // What another host has claimed is still listed: so it becomes known here.
    state: patchedStore(state, {
      getAgent: (agentId) => (cut.isOn ? refuse() : state.getAgent(agentId)),
      swapAgents: (agents) => (cut.isOn ? refuse() : state.swapAgents(agents)),
    }),
    hostId: 'host-2',
    clock: a.clock,
    audit: a.audit,
  });
  await b.ks.admit(newcomer);
  cut.isOn = true;
  await b.ks.failed('a1', 'no handle came');
  await a.during(6_000, a.ks.kill({ agent: 'a1' }, request));
  await a.clock.advance(3_000);
  const handle = b.runtime.spawn('immortal');
  expect(await b.ks.running('a1', [handle])).toMatchObject({ status: 'killing' });
  cut.isOn = false;
  await a.clock.advance(5_000);
  expect(await state.getAgent('a1')).toMatchObject({ status: 'killed' });
  const report = await a.during(6_000, b.ks.kill({ everything: true }, request));
  expect(report.settled).toBe(false);
  expect(report.errors).toEqual([expect.stringContaining('"a1" is on record as killed')]);
  b.runtime.end(handle);
  await a.clock.advance(3_000);
  expect((await b.ks.report(report.orderId)).settled).toBe(true);
});

it('I1: an order that another host has settled is not called settled by the host that knows of somebody alive', async () => {
  const state = memoryState();
  const a = await harness({ state });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
  const other = await a.agent('a2', { behaviour: 'immortal' });
  await b.ks.admit(newcomer);
  await b.ks.failed('a1', 'no handle came');
  const late = b.runtime.spawn('immortal');
  await b.ks.running('a1', [late]);
  await a.ks.kill({ everything: true }, { ...request, waitMs: 0 });
  const answer = b.ks.kill({ everything: true }, request);
  await a.clock.advance(100);
  a.runtime.end(other);
  const report = await a.during(6_000, answer);
  expect(await state.getOrder(report.orderId)).toMatchObject({ settledAt: expect.any(Number) });
  expect(report).toMatchObject({ settled: false, total: 1, killed: 1 });
  expect(report).not.toHaveProperty('settledAt');
  expect(report.errors).toEqual([expect.stringContaining('"a1" is on record as failed')]);
});

it('I1: an order that is over is not called settled while a handle that came since is not seen dead', async () => {
  const h = await harness();
  await h.ks.admit(newcomer);
  await h.ks.failed('a1', 'no handle came');
  const { orderId, settled } = await h.during(6_000, h.ks.kill({ task: 't' }, request));
  await h.clock.advance(2_000);
  expect(settled).toBe(true);
  const late = h.runtime.spawn('immortal');
  await h.ks.running('a1', [late]);
  const report = await h.ks.report(orderId);
  expect(report).toMatchObject({ settled: false, total: 0 });
  expect(report).not.toHaveProperty('settledAt');
  expect(report.errors).toEqual([expect.stringContaining('"a1" is on record as failed')]);
  expect(await h.ks.order(orderId)).toMatchObject({ settledAt: expect.any(Number) });
  h.runtime.end(late);
  await h.clock.advance(2_000);
  expect(await h.ks.report(orderId)).toMatchObject({ settled: true, errors: [] });
});

it('I1: also one whose agent it has killed, on whichever host that was admitted', async () => {
  const state = memoryState();
  const a = await harness({ state });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
  const handle = await b.agent('a1');
  const { orderId } = await a.during(6_000, a.ks.kill({ agent: 'a1' }, request));
  await a.clock.advance(3_000);
  expect(b.runtime.isAlive(handle)).toBe(false);
  const late = b.runtime.spawn('immortal');
  await b.ks.running('a1', [late]);
  expect(await b.ks.report(orderId)).toMatchObject({ settled: false, total: 1, killed: 1 });
  // A host that was told of nothing knows of nothing.
  expect(await a.ks.report(orderId)).toMatchObject({ settled: true, errors: [] });
  b.runtime.end(late);
});

it('who was admitted after an order had settled is none of its agents', async () => {
  const h = await harness();
  const { orderId } = await h.during(6_000, h.ks.kill({ workspace: 'w1' }, request));
  await h.clock.advance(1_000);
  await h.ks.admit(newcomer);
  await h.ks.failed('a1', 'no handle came');
  const late = h.runtime.spawn('immortal');
  await h.ks.running('a1', [late]);
  expect(await h.ks.report(orderId)).toMatchObject({ settled: true, errors: [] });
  h.runtime.end(late);
});

it('a report is for whoever asked to change, and changes nothing here', async () => {
  const real = memoryState();
  // A store that hands out copies, like any that is none in memory.
  const state = patchedStore(real, {
    getAgent: async (agentId) => structuredClone(await real.getAgent(agentId)),
    listAgents: async (key, page) => structuredClone(await real.listAgents(key, page)),
    listOrder: async (orderId, page) => structuredClone(await real.listOrder(orderId, page)),
    placeOrder: async (order) => structuredClone(await real.placeOrder(structuredClone(order))),
    getOrder: async (orderId) => structuredClone(await real.getOrder(orderId)),
    swapAgents: (agents) => real.swapAgents(structuredClone(agents)),
  });
  const h = await harness({ state });
  await h.ks.admit({ ...newcomer, sessionIds: ['s1'] });
  const handle = h.runtime.spawn('immortal');
  await h.ks.running('a1', [handle]);
  const first = await h.during(1_000, h.ks.kill({ task: 't' }, { ...request, waitMs: 500 }));
  Object.assign(first.scope, { task: 'other' });
  for (const { sessionIds } of first.outcomes) (sessionIds as string[]).push('forged');
  const again = await h.ks.report(first.orderId);
  expect(again.scope).toEqual({ task: 't' });
  expect(again.outcomes.map(({ sessionIds }) => sessionIds)).toEqual([['s1']]);
  h.runtime.end(handle);
});
