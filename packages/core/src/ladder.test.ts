import { describe, expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import { type MemoryBehaviour, memoryRuntime } from './memory/memory-runtime.ts';
import type { Runtime, RuntimeContext } from './ports/runtime.ts';
import { type Harness, harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

/** An agent of this behaviour, and every call on its runtime with its time in milliseconds. */
async function watched(behaviour: MemoryBehaviour) {
  const calls: string[] = [];
  const real = memoryRuntime();
  const clock: { now?: () => number } = {};
  const noted =
    <T>(name: 'stop' | 'kill' | 'force' | 'inspect') =>
    (handle: Handle, context: RuntimeContext): Promise<T> => {
      calls.push(`${(clock.now?.() ?? 0) - start} ${name}`);
      return real[name]?.(handle, context) as Promise<T>;
    };
  const runtime: Runtime = {
    ...real,
    stop: noted('stop'),
    kill: noted('kill'),
    force: noted('force'),
    inspect: noted('inspect'),
  };
  const h: Harness = await harness({ runtimes: { memory: runtime } });
  const start = h.clock.now();
  clock.now = h.clock.now;
  await h.ks.admit({ agentId: 'a', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = real.spawn(behaviour);
  await h.ks.running('a', [handle]);
  return { h, calls, handle, real };
}

/** A look every so often, and at some of them a demand first. */
function looks(
  from: number,
  to: number,
  every: number,
  demand: string,
  demands: readonly number[],
): string[] {
  const calls: string[] = [];
  for (let at = from; at <= to; at += every) {
    if (demands.includes(at)) calls.push(`${at} ${demand}`);
    calls.push(`${at} inspect`);
  }
  return calls;
}

const killing = [
  ...['0 inspect', '0 inspect', '8 inspect', '24 inspect', '56 inspect'],
  ...looks(120, 1_920, 100, 'kill', [520, 1_020, 1_520]),
];
const forcing = looks(2_000, 4_900, 100, 'force', [2_000, 2_500, 3_000, 3_500, 4_000, 4_500]);
const pursuing = [
  ...['5000 inspect', '5000 inspect', '5400 inspect', '6200 inspect'],
  ...looks(7_800, 19_800, 2_000, 'force', [7_800, 9_800, 11_800, 13_800, 15_800, 17_800, 19_800]),
];

describe('the rhythm of a kill', () => {
  it('of an agent that never dies: every half second a demand, a look ever less often, and on for ever', async () => {
    const { h, calls } = await watched('immortal');
    void h.ks.kill({ task: 't' }, request);
    await h.clock.advance(20_000);
    expect(calls).toEqual(['0 kill', '0 inspect', '0 kill', ...killing, ...forcing, ...pursuing]);
  });

  it('of a runtime that fails is the same, and each error is on record once', async () => {
    const { h, calls } = await watched('failing');
    void h.ks.kill({ task: 't' }, request);
    await h.clock.advance(20_000);
    expect(calls).toEqual(['0 kill', '0 kill', ...killing, ...forcing, ...pursuing]);
    const evidence = 'memory did not say whether it lives';
    expect(await h.ks.agent('a')).toMatchObject({
      kill: { errors: ['Error: the runtime failed'], evidence },
    });
  });

  it('of a runtime that hangs waits for no call, and leaves few of them hanging', async () => {
    const { h, calls } = await watched('hung');
    const kill = h.ks.kill({ task: 't' }, request);
    await h.clock.advance(20_000);
    const first = [
      '0 kill',
      '250 kill',
      '252 inspect',
      '752 kill',
      '756 inspect',
      '1264 kill',
      '1272 inspect',
    ];
    expect(calls).toEqual([...first, '2000 force', '2500 force', '3000 force']);
    const errors = [
      'DeadlineError: inspect by memory did not answer within 500 ms',
      'DeadlineError: kill by memory did not answer within 1000 ms',
      'DeadlineError: force by memory did not answer within 1000 ms',
    ];
    expect(await h.ks.agent('a')).toMatchObject({
      kill: { errors, forcedAt: (await kill).requestedAt + 2_000 },
    });
  });

  it('of an agent that dies when it is forced ends there', async () => {
    const { h, calls } = await watched('stubborn');
    const kill = h.ks.kill({ task: 't' }, request);
    await h.clock.advance(20_000);
    expect(calls).toEqual(['0 kill', '0 inspect', '0 kill', ...killing, '2000 force', '2000 inspect']);
    expect(await kill).toMatchObject({ settled: true });
  });

  it('with a grace asks first, and counts everything from its end', async () => {
    const { h, calls } = await watched('stubborn');
    void h.ks.stop({ task: 't' }, { ...request, graceMs: 1_200 });
    await h.clock.advance(20_000);
    expect(calls).toEqual([
      ...['0 stop', '0 inspect', '0 inspect', '8 inspect', '24 inspect', '56 inspect'],
      ...looks(120, 1_120, 100, 'stop', [520, 1_020]),
      ...looks(1_200, 3_100, 100, 'kill', [1_200, 1_700, 2_200, 2_700]),
      ...['3200 force', '3200 inspect'],
    ]);
  });
});
