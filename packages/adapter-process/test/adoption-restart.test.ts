import { createKillswitch, type Killswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { afterAll, afterEach, expect, it } from 'vitest';
import { type ProcessRuntime, processRuntime } from '../src/index.ts';
import { id } from './support/harness.ts';
import { isAlive, TestRun } from './support/processes.ts';
import { Corner, end } from './support/unmarked.ts';

const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
const run = new TestRun();
const corner = new Corner();
afterEach(() => run.end());
afterAll(() => corner.close());

/** One life after the other of the same host. */
function lives(): () => Promise<Killswitch & { settled: Promise<void>; processes: ProcessRuntime }> {
  const [state, audit] = [memoryState(), memoryAudit()];
  return async () => {
    const processes = processRuntime();
    const deadlines = { forceAfter: 200, confirmWithin: 2_000 };
    const ks = createKillswitch({ hostId: 'h1', state, audit, runtimes: { process: processes }, deadlines });
    const settled = new Promise<void>((resolve) => {
      ks.on('step', ({ step }) => step === 'settled' && resolve());
    });
    await ks.start();
    return { ...ks, settled, processes };
  };
}

it('what a killer has adopted is killed by its next life, with all that it lost meanwhile (I1, I3)', async () => {
  const live = lives();
  const before = await live();
  const agent = await corner.start(run);
  const agentId = id('adopted');
  await before.admit({ agentId, taskId: agentId, workspaceId: 'w', ownerId: 'o' });
  await before.running(agentId, [await before.processes.adopt(agent.pid, { agentId })]);
  await before.close();
  const lost = await agent.ask('lost');
  await end(agent.pid);
  const after = await live();
  const report = await after.kill({ agent: agentId }, { principal: root, reason: 'rogue' });
  if (after.processes.containment === 'cgroup') {
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(isAlive(lost)).toBe(false);
  } else {
    expect(report.outcomes).toMatchObject([{ outcome: 'unconfirmed' }]);
    await end(lost);
    await after.settled;
  }
  expect(await after.agent(agentId)).toMatchObject({ status: 'killed' });
  await after.close();
});

it('what a killer could not confirm, its next life does when the last that may be its is gone (I3)', async () => {
  const live = lives();
  const before = await live();
  const agent = await corner.start(run);
  const lost = await agent.ask('lost');
  const agentId = id('doubted');
  await before.admit({ agentId, taskId: agentId, workspaceId: 'w', ownerId: 'o' });
  await before.running(agentId, [await before.processes.adopt(agent.pid, { agentId })]);
  const report = await before.kill({ agent: agentId }, { principal: root, reason: 'rogue' });
  expect(report).toMatchObject({ settled: false, outcomes: [{ outcome: 'unconfirmed' }] });
  expect(report.errors).toEqual([expect.stringContaining(`pid ${lost} (an orphan`)]);
  await before.close();
  const after = await live();
  expect(await after.agent(agentId)).toMatchObject({ status: 'killing' });
  await end(lost);
  await after.settled;
  expect(await after.agent(agentId)).toMatchObject({ status: 'killed' });
  await after.close();
});
