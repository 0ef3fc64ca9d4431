import { type RuntimeFactory, runtimeClauses } from '@agent-killswitch/conformance';
import { describe, it } from 'vitest';
import {
  type HostedHandle,
  type PromiseRuntime,
  promiseRuntime,
  type WorkerAgent,
  type WorkerRuntime,
  workerRuntime,
} from '../src/index.ts';

const skipped = 'its agents live in the memory of one process (reach: host), no second host reaches them';

function malformed({ runtime, run, life }: HostedHandle) {
  const { process } = life;
  return [
    { runtime },
    { runtime, run },
    { runtime: 'process', run, life },
    ...[0, -1, 1.5, Number.NaN, 2 ** 60, '1', null, 1_000_000].map((bad) => ({ runtime, run: bad, life })),
    ...[true, {}, { ...life, instance: 'mine' }, { ...life, more: 1 }].map((bad) => ({
      runtime,
      run,
      life: bad,
    })),
    ...[{ pid: 0 }, { pid: '71' }, { startTime: -1 }, { bootId: 'yesterday' }, { machineId: '' }].map(
      (bad) => ({
        runtime,
        run,
        life: { ...life, process: { ...process, ...bad } },
      }),
    ),
    { runtime, run, life, more: 1 },
  ];
}

function workers(): RuntimeFactory {
  let runtime: WorkerRuntime = workerRuntime();
  const started: WorkerAgent[] = [];
  const start = (agentId: string): WorkerAgent => {
    const agent = runtime.spawnAgent('setInterval(() => {}, 1_000)', { agentId, eval: true });
    started.push(agent);
    return agent;
  };
  return {
    async open() {
      runtime = workerRuntime();
      return runtime;
    },
    async startVictim(agentId) {
      const { handle, worker } = start(agentId);
      let alive = true;
      worker.once('exit', () => {
        alive = false;
      });
      return { handle, isAlive: async () => alive };
    },
    get malformedHandles() {
      return malformed(start('sample').handle);
    },
    async close() {
      await Promise.all(started.map(({ worker }) => worker.terminate()));
    },
  };
}

/** Promises that end when they are told to: of another kind this runtime cannot promise anything. */
function promises(): RuntimeFactory {
  let runtime: PromiseRuntime = promiseRuntime();
  const letGo = new AbortController();
  const untilAbort = (signal: AbortSignal) =>
    new Promise((resolve) => signal.addEventListener('abort', resolve));
  return {
    async open() {
      runtime = promiseRuntime();
      return runtime;
    },
    async startVictim(agentId) {
      let alive = true;
      const work = async ({ signal }: { signal: AbortSignal }) => {
        await Promise.race([untilAbort(signal), untilAbort(letGo.signal)]);
        alive = false;
      };
      const { handle } = runtime.spawnAgent(work, { agentId });
      return { handle, isAlive: async () => alive };
    },
    get malformedHandles() {
      return malformed(runtime.spawnAgent(async () => {}, { agentId: 'sample' }).handle);
    },
    close: async () => letGo.abort(),
  };
}

describe.each([
  ['workerRuntime', workers],
  ['promiseRuntime', promises],
])('%s keeps the promises of the runtime port', (_, factory) => {
  for (const clause of runtimeClauses) {
    if (clause.needs === 'openSecond') it.skip(`${clause.name} (${skipped})`, () => {});
    else it(clause.name, () => clause.run(factory()));
  }
});
