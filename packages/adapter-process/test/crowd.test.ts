import { afterEach, expect, it } from 'vitest';
import { processRuntime } from '../src/index.ts';
import { inTime, settled } from './support/harness.ts';
import { TestRun } from './support/processes.ts';

const run = new TestRun();
afterEach(() => run.end());

it('100 agents killed at once cost a handful of scans, not 100 (I5)', async () => {
  const runtime = processRuntime({ cgroup: 'off' });
  const agents = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const agentId = `crowd-${n}`;
      const { handle } = await runtime.spawnAgent('sh', ['-c', 'setsid sleep 300 & wait'], {
        agentId,
        env: run.env,
      });
      return { agentId, handle };
    }),
  );
  const before = runtime.scans;
  await Promise.all(agents.map(({ agentId, handle }) => runtime.kill(handle, inTime(agentId))));
  expect(runtime.scans - before).toBeLessThanOrEqual(12);
  const seen = await Promise.all(agents.map(({ agentId, handle }) => settled(runtime, agentId, handle)));
  expect(seen.filter(({ state }) => state !== 'dead')).toEqual([]);
  expect(run.alive()).toEqual([]);
});
