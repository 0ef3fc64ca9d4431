import { afterEach, describe, expect, it } from 'vitest';
import { processRuntime, SpawnFailedError, type WorkerAgent, workerRuntime } from '../src/index.ts';
import { id, inTime, settled } from './support/harness.ts';
import { isAlive, pids as pidsOf, TestRun } from './support/processes.ts';

const runtime = workerRuntime();
const run = new TestRun();
const started: WorkerAgent[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ worker }) => worker.terminate()));
  run.end();
});

function start(name: string, code: string, data?: unknown, by = runtime): WorkerAgent {
  const agent = by.spawnAgent(code, { agentId: id(name), eval: true, data, env: run.env, stdout: true });
  started.push(agent);
  return agent;
}

const given = `const { workerData: { agentId, signal, data }, parentPort } = require('node:worker_threads');`;
const ready = `${given} parentPort.postMessage('ready');`;
const isReady = ({ worker }: WorkerAgent) => new Promise((resolve) => worker.once('message', resolve));

describe('a worker thread that does not want to end is terminated, and seen to exit (I3)', () => {
  it.each<[string, string]>([
    ['runs for ever', 'for (;;);'],
    ['blocks in Atomics.wait', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'],
    ['catches everything', 'for (;;) try { (() => { for (;;); })(); } catch {} finally { continue; }'],
    ['floods its host with messages', `for (;;) parentPort.postMessage('x'.repeat(1_000));`],
    ['floods its output', `for (;;) process.stdout.write('x'.repeat(1_000));`],
    [
      'spins in a thread of its own',
      `new (require('node:worker_threads').Worker)('for (;;);', { eval: true });
      setInterval(() => {}, 1_000);`,
    ],
    ['heeds no signal, and keeps itself alive', `signal.onabort = () => {}; setInterval(() => {}, 1_000);`],
    ['prevents its exit', `process.exit = () => {}; process.on('exit', () => { for (;;); }); for (;;);`],
  ])('one that %s', async (name, code) => {
    const agent = start(name.replace(/\W/g, '-'), `${ready} ${code}`);
    await isReady(agent);
    const { agentId } = { agentId: id(name.replace(/\W/g, '-')) };
    expect(await runtime.inspect(agent.handle, inTime(agentId))).toMatchObject({
      state: 'alive',
      evidence: expect.stringMatching(/^worker thread \d+ of process \d+ has not exited$/),
    });
    await runtime.kill(agent.handle, inTime(agentId));
    expect(await runtime.inspect(agent.handle, inTime(agentId))).toMatchObject({ state: 'alive' });
    await agent.exited;
    expect(await runtime.inspect(agent.handle, inTime(agentId))).toMatchObject({
      state: 'dead',
      evidence: expect.stringMatching(/exited with code 1$/),
    });
  });
});

it('is asked by stop, and told by kill, through its signal, with the reason', async () => {
  const code = `${ready} setInterval(() => {}, 1_000);
    signal.addEventListener('abort', () => { parentPort.postMessage([agentId, data, signal.reason.message]); });`;
  const agent = start('asked', code, { some: 'data' });
  await isReady(agent);
  const told = isReady(agent);
  await runtime.stop(agent.handle, { ...inTime(id('asked')), reason: 'it went rogue' });
  expect(await told).toEqual([
    id('asked'),
    { some: 'data' },
    `Agent ${id('asked')} is told to end: it went rogue`,
  ]);
  expect(await runtime.inspect(agent.handle, inTime(id('asked')))).toMatchObject({ state: 'alive' });
  await runtime.kill(agent.handle, inTime(id('asked')));
  await agent.exited;
});

it('may end by itself: when it is done, when it throws, when it cannot be loaded', async () => {
  const ends = [
    start('done', `${given} 1 + 1;`),
    start('throws', `throw new Error('own fault');`),
    runtime.spawnAgent('/no/such/file.js', { agentId: id('unloaded') }),
  ];
  const exits = await Promise.all(ends.map(({ exited }) => exited));
  expect(exits.map(({ exitCode }) => exitCode)).toEqual([0, 1, 1]);
  expect(exits.map(({ error }) => (error as { code?: string; message?: string })?.code)).toEqual([
    undefined,
    undefined,
    'MODULE_NOT_FOUND',
  ]);
  for (const [index, name] of ['done', 'throws', 'unloaded'].entries())
    expect(await runtime.inspect(ends[index]!.handle, inTime(id(name)))).toMatchObject({ state: 'dead' });
});

it('is refused by name if it cannot be started', () => {
  expect(() => start('unclonable', '1', () => {})).toThrow(SpawnFailedError);
  expect(() => runtime.spawnAgent('relative.js', { agentId: id('relative') })).toThrow('ERR_WORKER_PATH');
  expect(() => runtime.spawnAgent('1', { agentId: 'a b', eval: true })).toThrow('agentId');
});

it("is not touched by another agent's name for it (I11)", async () => {
  const agent = start('mine', `${ready} for (;;);`);
  await isReady(agent);
  await expect(runtime.kill(agent.handle, inTime(id('yours')))).rejects.toMatchObject({
    code: 'invalid-handle',
  });
  expect(await runtime.inspect(agent.handle, inTime(id('yours')))).toMatchObject({ state: 'unknown' });
  expect(await runtime.locate(id('mine'), inTime(id('mine')))).toEqual([agent.handle]);
});

describe('the processes of a worker', () => {
  const escapes = `const { spawn } = require('node:child_process');
    const child = spawn('sh', ['-c', 'setsid sleep 300 & echo $!; exec sleep 300'], { detached: true });
    child.stdout.pipe(process.stdout);`;

  it('die with it, and keep it from being called dead, where a runtime for them is given', async () => {
    const withProcesses = workerRuntime({ processes: processRuntime() });
    const agent = start('parent', escapes, undefined, withProcesses);
    const [child] = await pidsOf(agent.worker as never, 1);
    await agent.worker.terminate();
    expect(await withProcesses.inspect(agent.handle, inTime(id('parent')))).toMatchObject({
      state: 'alive',
      evidence: expect.stringContaining('that it started is alive'),
    });
    await withProcesses.kill(agent.handle, inTime(id('parent')));
    expect(await settled(withProcesses, id('parent'), agent.handle)).toMatchObject({
      state: 'dead',
      evidence: expect.stringContaining('no process carries its mark'),
    });
    expect(isAlive(child!)).toBe(false);
    expect(run.alive()).toEqual([]);
  });

  it('let go of a thread that waits for them in a system call, which terminate() cannot cut short', async () => {
    const withProcesses = workerRuntime({ processes: processRuntime() });
    const agent = start(
      'waits',
      `${ready} require('node:child_process').spawnSync('sleep', ['300']);`,
      0,
      withProcesses,
    );
    await isReady(agent);
    while (run.alive().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await withProcesses.kill(agent.handle, inTime(id('waits')));
    expect(await settled(withProcesses, id('waits'), agent.handle)).toMatchObject({ state: 'dead' });
    expect(run.alive()).toEqual([]);
  });
});
