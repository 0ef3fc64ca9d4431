import { type RuntimeFactory, runtimeClauses } from '@agent-killswitch/conformance';
import { afterAll, describe, expect, it } from 'vitest';
import { type ProcessRuntime, processRuntime } from '../src/index.ts';
import { originHere } from '../src/origin.ts';
import { isAlive, TestRun } from './support/processes.ts';

const run = new TestRun();
afterAll(() => run.end());

/** Otherwise sound, so that it can only be the one fault in each handle that it is refused for. */
const sample = { startTime: 1, ...originHere(), ownSession: true };
const cgroup = { path: '/agent-killswitch/agent-x', inode: '71', view: 'cgroup:[71] /' };

function factory(): RuntimeFactory {
  let runtime: ProcessRuntime | undefined;
  return {
    async open() {
      runtime = processRuntime();
      return runtime;
    },
    openSecond: async () => processRuntime(),
    async startVictim(agentId) {
      if (runtime === undefined) throw new Error('open first');
      const { handle, child } = await runtime.spawnAgent('sleep', ['300'], { agentId, env: run.env });
      return { handle, isAlive: async () => isAlive(child.pid!) };
    },
    malformedHandles: [
      { runtime: 'process' },
      { runtime: 'process', pid: 71 },
      ...[
        -1,
        -71,
        0,
        1,
        1.5,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        2 ** 60,
        '71',
        null,
        [71],
        process.pid,
      ].map((pid) => ({ runtime: 'process', ...sample, pid })),
      { runtime: 'process', ...sample, pid: 71, startTime: -1 },
      { runtime: 'process', ...sample, pid: 71, startTime: '1' },
      { runtime: 'process', ...sample, pid: 71, bootId: 'yesterday' },
      { runtime: 'process', ...sample, pid: 71, ownSession: 'yes' },
      ...[
        true,
        {},
        { ...cgroup, path: '/' },
        { ...cgroup, path: '/agent-killswitch/../system.slice' },
        { ...cgroup, path: '/system.slice/agent-killswitch/agent-nobody' },
        { ...cgroup, inode: 71 },
        { ...cgroup, inode: '-1' },
        { ...cgroup, view: '' },
      ].map((bad) => ({ runtime: 'process', ...sample, pid: 71, cgroup: bad })),
      { runtime: 'docker', ...sample, pid: 71 },
    ],
    close: async () => run.end(),
  };
}

describe('processRuntime keeps the promises of the runtime port', () => {
  for (const clause of runtimeClauses) it(clause.name, () => clause.run(factory()));

  it('leaves nothing behind', () => expect(run.alive()).toEqual([]));
});
