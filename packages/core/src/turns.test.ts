import { expect, it } from 'vitest';
import { createKillswitch } from './create-killswitch.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Clock } from './ports/clock.ts';
import { root } from './testing/harness.ts';
import { Turns } from './turns.ts';

/** Real timers, and a time that goes on by a tenth of a millisecond whenever somebody asks: the machine's speed does not count. */
function countingClock(): Clock {
  let asked = 0;
  return {
    now: () => Date.UTC(2026, 0, 1) + Math.floor(asked++ / 10),
    setTimer: (ms, fire) => {
      const timer = setTimeout(fire, ms);
      return () => clearTimeout(timer);
    },
  };
}

it('I5: while very many agents in memory are stopped, timers fire and another stop is carried out', async () => {
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'host-1',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
    clock: countingClock(),
    deadlines: { state: 60_000, forceAfter: 80_000, confirmWithin: 100_000 },
  });
  await ks.start();
  const admit = async (agentId: string, workspaceId: string): Promise<void> => {
    await ks.admit({ agentId, taskId: agentId, workspaceId, ownerId: 'alice' });
    await ks.running(agentId, [runtime.spawn()]);
  };
  for (let n = 0; n < 6_000; n++) await admit(`a${n}`, 'w1');
  await admit('other', 'w2');
  const request = { principal: root, reason: 'drill' };
  const done: string[] = [];
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (!done.includes('many')) setImmediate(count);
  };
  setImmediate(count);
  const many = ks.kill({ workspace: 'w1' }, request).then((report) => {
    done.push('many');
    return report;
  });
  const second = new Promise<void>((resolve) => {
    setTimeout(async () => {
      expect(await ks.kill({ workspace: 'w2' }, request)).toMatchObject({ settled: true, killed: 1 });
      done.push('other');
      resolve();
    }, 1);
  });
  expect(await many).toMatchObject({ settled: true, killed: 6_000 });
  await second;
  expect(done).toEqual(['other', 'many']);
  expect(turns).toBeGreaterThanOrEqual(2);
  await ks.close();
}, 60_000);

it('gives turns after fifty milliseconds of work, one piece of work ahead', async () => {
  let now = 0;
  const asked: Array<() => void> = [];
  const turns = new Turns({
    now: () => now,
    setTimer: (ms, fire) => {
      expect(ms).toBe(0);
      asked.push(fire);
      return () => undefined;
    },
  });
  now = 49;
  await turns.give();
  expect(asked).toHaveLength(0);
  now = 50;
  await turns.give();
  expect(asked).toHaveLength(1);
  let isOver = false;
  const given = turns.give().then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  asked[0]?.();
  await given;
  await turns.give();
  expect(asked).toHaveLength(1);
});
