import { expect, it } from 'vitest';
import { agentSchema, type Handle, maxHandles } from './agent.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };
const newcomer = { agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };
const refused = { code: 'too-many-handles', message: expect.stringContaining('"a1" can have 16 handles') };

it('I1: a handle beyond those that an agent can have is refused, and what it reaches destroyed; the agent can be read and killed', async () => {
  const h = await harness();
  await h.ks.admit(newcomer);
  const handles = Array.from({ length: maxHandles }, () => h.runtime.spawn());
  await h.ks.running('a1', handles.slice(0, 9));
  await h.ks.running('a1', handles);
  const more = [h.runtime.spawn('stubborn'), h.runtime.spawn()];
  await expect(h.ks.running('a1', [handles[3] as Handle, ...more])).rejects.toMatchObject(refused);
  await h.clock.advance(100);
  expect(more.map((each) => h.runtime.isAlive(each))).toEqual([false, false]);
  expect(handles.every((each) => h.runtime.isAlive(each))).toBe(true);

  expect(agentSchema.parse(await h.state.getAgent('a1'))).toMatchObject({ status: 'running', handles });
  expect(await h.ks.running('a1', handles.slice(4, 6))).toMatchObject({ handles });
  const report = await h.during(6_000, h.ks.kill({ task: 't' }, request));
  expect(report).toMatchObject({ settled: true, killed: 1, errors: [] });
  expect(handles.some((each) => h.runtime.isAlive(each))).toBe(false);
});

it('I1: as long as that is not seen dead it is named, and a stop of its agent does not settle', async () => {
  const h = await harness();
  await h.ks.admit(newcomer);
  await h.ks.running(
    'a1',
    Array.from({ length: maxHandles }, () => h.runtime.spawn()),
  );
  const late = h.runtime.spawn('immortal');
  await expect(h.ks.running('a1', [late])).rejects.toMatchObject(refused);
  const { orderId, ...report } = await h.during(6_000, h.ks.kill({ task: 't' }, request));
  expect(report).toMatchObject({ settled: false, killed: 1 });
  expect(report.errors).toEqual([expect.stringContaining('what one more reaches is not seen dead')]);
  h.runtime.end(late);
  await h.clock.advance(3_000);
  expect(await h.ks.report(orderId)).toMatchObject({ settled: true, errors: [] });
});

it('I6: the same without the store, and where the store is told of handles that do not fit there', async () => {
  const real = memoryState();
  const link = flakyStore(real);
  const a = await harness({ state: link.state });
  const b = await harness({ state: real, hostId: 'host-2', clock: a.clock, audit: a.audit });
  await a.ks.admit(newcomer);
  const first = Array.from({ length: 8 }, () => a.runtime.spawn());
  await a.ks.running('a1', first);
  link.reach = 'down';
  const second = Array.from({ length: 8 }, () => a.runtime.spawn());
  expect(await a.ks.running('a1', second)).toMatchObject({ handles: [...first, ...second] });
  const third = a.runtime.spawn();
  await expect(a.ks.running('a1', [third])).rejects.toMatchObject(refused);
  await a.clock.advance(100);
  expect(a.runtime.isAlive(third)).toBe(false);
  // Somebody else tells of one more.
  await b.ks.running('a1', [{ runtime: 'memory', id: 99 }]);
  link.reach = 'up';
  await a.clock.advance(3_000);
  expect(agentSchema.parse(await real.getAgent('a1'))).toMatchObject({ status: 'running' });
  expect(second.some((each) => a.runtime.isAlive(each))).toBe(false);
  expect(first.every((each) => a.runtime.isAlive(each))).toBe(true);
});

it('I1: of an agent that is found again with more than that, none is stored, and a kill finds all', async () => {
  const state = memoryState();
  const first = await harness({ state });
  await first.ks.admit(newcomer);
  await first.ks.close();
  await first.clock.advance(10);
  const memory = memoryRuntime();
  const handles = Array.from({ length: maxHandles + 1 }, () => memory.spawn());
  const runtime = { ...memory, reach: 'machine' as const, locate: async () => handles };
  const h = await harness({ state, clock: first.clock, runtimes: { memory: runtime } });
  expect(await h.ks.agent('a1')).toMatchObject({ status: 'spawning', handles: [] });
  expect(await first.during(6_000, h.ks.kill({ agent: 'a1' }, request))).toMatchObject({ settled: true });
  expect(handles.some((each) => memory.isAlive(each))).toBe(false);
});
