import { createKillswitch, isKillswitchError, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { expect, it } from 'vitest';
import { AgentStoppedError, promiseRuntime } from '../src/index.ts';
import { id, inTime } from './support/harness.ts';

const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
const runtime = promiseRuntime();

it('is told to end by its signal, with the reason, and is dead when its promise has settled', async () => {
  const agent = runtime.spawnAgent(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    { agentId: id('told') },
  );
  expect(await runtime.inspect(agent.handle, inTime(id('told')))).toMatchObject({
    state: 'alive',
    evidence: 'its promise has not settled, and nothing can force it',
  });
  await runtime.kill(agent.handle, { ...inTime(id('told')), reason: 'it went rogue' });
  const ended = await agent.ended;
  expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'agent-stopped', demand: 'kill' } });
  expect((ended as PromiseRejectedResult).reason).toBeInstanceOf(AgentStoppedError);
  expect((ended as PromiseRejectedResult).reason.message).toBe(
    `Agent ${id('told')} is told to end: it went rogue`,
  );
  expect(await runtime.inspect(agent.handle, inTime(id('told')))).toEqual({
    state: 'dead',
    evidence: 'its promise was rejected',
  });
});

it('keeps the first reason it was told, of a stop and then a kill', async () => {
  const reasons: unknown[] = [];
  const agent = runtime.spawnAgent(
    ({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return new Promise((resolve) => setTimeout(resolve, 50));
    },
    { agentId: id('first') },
  );
  await Promise.resolve();
  await runtime.stop(agent.handle, { ...inTime(id('first')), reason: 'please' });
  await runtime.kill(agent.handle, { ...inTime(id('first')), reason: 'now' });
  await agent.ended;
  expect(reasons).toMatchObject([{ demand: 'stop', message: expect.stringContaining('please') }]);
});

it('ends however its work ends; work that is told to end before it began never begins', async () => {
  const ends = {
    returns: async () => 1,
    throws: () => {
      throw new Error('own fault');
    },
    rejects: async () => Promise.reject(new Error('own fault')),
  };
  for (const [name, work] of Object.entries(ends)) {
    const agent = runtime.spawnAgent(work, { agentId: id(name) });
    expect((await agent.ended).status).toBe(name === 'returns' ? 'fulfilled' : 'rejected');
    expect(await runtime.inspect(agent.handle, inTime(id(name)))).toMatchObject({ state: 'dead' });
  }
  let began = false;
  const early = runtime.spawnAgent(
    async () => {
      began = true;
    },
    { agentId: id('early') },
  );
  await Promise.all([runtime.kill(early.handle, inTime(id('early'))), early.ended]);
  expect(began).toBe(false);
});

it('stays unconfirmed while it does not heed its signal, and is confirmed when it settles after all (I1, I3)', async () => {
  const ks = createKillswitch({
    hostId: 'h1',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { promise: runtime },
    deadlines: { forceAfter: 200, confirmWithin: 600 },
  });
  await ks.start();
  let settle = (): void => {};
  const agentId = id('deaf');
  await ks.admit({ agentId, taskId: 't', workspaceId: 'w', ownerId: 'o' });
  const { handle, ended } = runtime.spawnAgent(() => new Promise<void>((resolve) => (settle = resolve)), {
    agentId,
  });
  await ks.running(agentId, [handle]);
  const report = await ks.kill({ task: 't' }, { principal: root, reason: 'deaf' });
  expect(report.outcomes).toMatchObject([
    { outcome: 'unconfirmed', evidence: 'its promise has not settled, and nothing can force it' },
  ]);
  const settled = new Promise<void>((resolve) => {
    ks.on('step', ({ step }) => step === 'settled' && resolve());
  });
  settle();
  await ended;
  await settled;
  expect(await ks.agent(agentId)).toMatchObject({
    status: 'killed',
    kill: { evidence: 'its promise was fulfilled' },
  });
  await ks.close();
});

it('tells its reason as an error that is recognised across copies of the library', () => {
  expect(isKillswitchError(new AgentStoppedError('a', 'kill', undefined), 'agent-stopped')).toBe(true);
});
