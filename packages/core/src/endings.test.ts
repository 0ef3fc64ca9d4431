import { expect, it } from 'vitest';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

/** A host that no hint reaches, with agents that are said to have ended and whose runtime does not say whether they have. */
async function hostOfDoubtful(count: number) {
  const real = memoryState();
  const state = patchedStore(real, { watch: () => () => undefined });
  let looks = 0;
  const mute: Runtime = {
    ...memoryRuntime('mute'),
    inspect: () => {
      looks += 1;
      return new Promise<never>(() => undefined);
    },
  };
  const memory = memoryRuntime();
  const a = await harness({ state: real });
  const b = await harness({
    state,
    hostId: 'host-2',
    clock: a.clock,
    audit: a.audit,
    runtimes: { memory, mute },
  });
  for (let n = 0; n < count; n++) {
    const agentId = `doubtful-${n}`;
    await b.ks.admit({ agentId, taskId: agentId, workspaceId: 'w1', ownerId: 'alice' });
    await b.ks.running(agentId, [{ runtime: 'mute', id: n }]);
  }
  const ended = Promise.all(Array.from({ length: count }, (_, n) => b.ks.completed(`doubtful-${n}`)));
  await a.during(3_000, ended);
  return { a, b, memory, looks: () => looks };
}

it('I5: looks at ended agents that hang do not keep a host from following an order', async () => {
  const { a, b, memory } = await hostOfDoubtful(20);
  await b.ks.admit({ agentId: 'b1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = memory.spawn('cooperative');
  await b.ks.running('b1', [handle]);
  await a.clock.advance(3_000);
  const report = await a.during(6_000, a.ks.kill({ task: 't' }, request));
  expect(report).toMatchObject({ settled: true, killed: 1 });
  expect(memory.isAlive(handle)).toBe(false);
});

it('I12: few looks hang on an agent that is said to have ended', async () => {
  const { a, looks } = await hostOfDoubtful(1);
  await a.clock.advance(25_000);
  expect(looks()).toBeLessThanOrEqual(4);
});

it('I12: few looks hang on an agent that is said to have ended again and again', async () => {
  const { a, b, looks } = await hostOfDoubtful(1);
  for (let n = 0; n < 12; n++) {
    expect(await a.during(2_000, b.ks.completed('doubtful-0'))).toBe(false);
    await a.clock.advance(1_000);
  }
  expect(looks()).toBeLessThanOrEqual(6);
});
