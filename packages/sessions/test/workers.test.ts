import { promiseRuntime, workerRuntime } from '@agent-killswitch/adapter-process';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ada, adas, admin, harness, heeding, reason } from '../src/testing/sessions-harness.ts';

// A thread takes its time to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });
const file = new URL('fixtures/worker.ts', import.meta.url);
const worker = {
  execArgv: ['--conditions=agent-killswitch-source', '--disable-warning=ExperimentalWarning'],
};
const facts = (does: string) => ({ ...adas, worker, data: { does } });
const wide = { deadlines: { forceAfter: 2_000, confirmWithin: 60_000 } };

/** How long, in milliseconds, nothing else had a turn at the most, from now on. */
function longestHold(): () => number {
  let [last, longest] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    [last, longest] = [now, Math.max(longest, now - last)];
  }, 5);
  onTestFinished(() => clearInterval(timer));
  return () => longest;
}

it('D1, D2: a worker that never yields is killed all the same; its last checkpoint is preserved', async () => {
  const { sessions, events } = await harness(wide);
  const { ended } = await sessions.startWorker('s1', facts('spin'), file);
  const other = await sessions.start('s2', adas, heeding);
  await expect.poll(async () => (await sessions.get('s1'))?.checkpoint?.number, { timeout: 60_000 }).toBe(2);
  const report = await sessions.kill('s1', { principal: admin, reason });
  expect(report).toMatchObject({
    settled: true,
    killed: 1,
    outcomes: [{ evidence: expect.stringContaining('exited') }],
  });
  expect((await ended).status).toBe('rejected');
  expect(await sessions.get('s1')).toMatchObject({
    ...{ status: 'killed', killedBy: 'adam', killReason: reason },
    checkpoint: { value: { sessionId: 's1', step: 2 }, number: 2 },
  });
  expect(events('agent.killed')).toHaveLength(1);
  expect(await sessions.get('s2')).toMatchObject({ status: 'running' });
  await sessions.kill('s2', { principal: ada, reason });
  await other.ended;
});

it('ends by itself, or when it is told to; what it said last is taken, waited for or not', async () => {
  const { ks, sessions } = await harness(wide);
  const done = await sessions.startWorker('done', facts('last words'), file);
  expect(await done.ended).toEqual({ status: 'fulfilled', value: undefined });
  expect(await sessions.get('done')).toMatchObject({
    status: 'completed',
    checkpoint: { value: 'not waited for', number: 2 },
  });
  const failed = await sessions.startWorker('failed', facts('throw'), file);
  expect(await failed.ended).toMatchObject({ status: 'rejected', reason: { message: 'own fault' } });
  expect(await sessions.get('failed')).toMatchObject({ status: 'failed', checkpoint: { number: 1 } });
  const heeds = await sessions.startWorker('heeds', facts('heed'), file);
  await expect
    .poll(async () => (await sessions.get('heeds'))?.checkpoint?.number, { timeout: 60_000 })
    .toBe(1);
  const report = await ks.stop({ agent: 'heeds' }, { principal: ada, reason, graceMs: 60_000 });
  expect(report).toMatchObject({
    killed: 1,
    outcomes: [{ forced: false, evidence: expect.stringContaining('code 0') }],
  });
  await heeds.ended;
});

it('a bad checkpoint is refused by the same names as in a task', async () => {
  const { sessions } = await harness(wide, { maxCheckpointBytes: 1_000 });
  const { ended } = await sessions.startWorker('s1', facts('bad'), file);
  expect((await ended).status).toBe('fulfilled');
  expect((await sessions.get('s1'))?.checkpoint?.value).toEqual([
    ['CheckpointNotSerialisableError', 'checkpoint-not-serialisable'],
    ['CheckpointTooLargeError', 'checkpoint-too-large'],
  ]);
});

it('what cannot be started has failed, by name', async () => {
  const { sessions } = await harness(wide);
  const unclonable = { ...adas, worker, data: { f: () => 1 } };
  await expect(sessions.startWorker('s1', unclonable, file)).rejects.toMatchObject({ code: 'spawn-failed' });
  expect(await sessions.get('s1')).toMatchObject({ status: 'failed' });
  const missing = await sessions.startWorker(
    's2',
    facts('heed'),
    new URL('fixtures/none.ts', import.meta.url),
  );
  expect(await missing.ended).toMatchObject({ status: 'rejected' });
  expect(await sessions.get('s2')).toMatchObject({ status: 'failed' });
});

describe.each(['flood with checkpoints', 'flood with text', 'flood with one that is too large'])(
  'a worker that would %s',
  (does) => {
    it('past checkpoint() is ended by name, and holds nobody up meanwhile (I5, I12)', async () => {
      const { sessions } = await harness(wide);
      const others = [];
      for (let n = 0; n < 10; n++) others.push(await sessions.start(`other-${n}`, adas, heeding));
      const longest = longestHold();
      const { ended } = await sessions.startWorker('floods', facts(does), file);
      for (const n of others.keys())
        expect(await sessions.kill(`other-${n}`, { principal: ada, reason })).toMatchObject({ killed: 1 });
      expect(await ended).toMatchObject({
        status: 'rejected',
        reason: { message: 'It sent its host messages past checkpoint(), and was ended' },
      });
      expect(await sessions.get('floods')).toMatchObject({
        status: 'failed',
        error: expect.stringContaining('past checkpoint()'),
      });
      // On a busy machine; without a bound it grows for as long as the flood lasts.
      expect(longest()).toBeLessThan(2_000);
    });
  },
);

it('what a worker sends to its parentPort reaches nobody, and holds nobody up (I5)', async () => {
  const { sessions } = await harness(wide);
  const longest = longestHold();
  const { ended } = await sessions.startWorker('s1', facts('flood its parent'), file);
  await expect
    .poll(async () => (await sessions.get('s1'))?.checkpoint?.value, { timeout: 60_000 })
    .toBe('flooding');
  expect(await sessions.kill('s1', { principal: ada, reason })).toMatchObject({ killed: 1 });
  await ended;
  expect(longest()).toBeLessThan(2_000);
});

it('D1: a kill that comes at any moment of its start leaves no thread behind', async () => {
  const [promises, workers] = [promiseRuntime(), workerRuntime()];
  const { sessions } = await harness(
    { ...wide, runtimes: { promise: promises, worker: workers } },
    { promises, workers },
  );
  const outcomes = Array.from({ length: 12 }, async (_, turns) => {
    const id = `s${turns}`;
    const starting = sessions.startWorker(id, facts('spin'), file);
    for (let n = 0; n < turns; n++) await new Promise(setImmediate);
    const kill = () => sessions.kill(id, { principal: ada, reason });
    // Before it is admitted there is none.
    const report = (await kill()) || (await starting.then(kill));
    expect(await workers.locate(id, { agentId: id, signal: new AbortController().signal })).toEqual([]);
    expect(report).toMatchObject({ settled: true, killed: 1 });
    await (await starting).ended;
    return sessions.get(id);
  });
  for (const session of await Promise.all(outcomes))
    expect(session).toMatchObject({ status: 'killed', killedBy: 'ada' });
});
