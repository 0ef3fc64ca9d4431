import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createKillswitch, type Principal, type Runtime } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { type HostedHandle, promiseRuntime, UnreachableHandleError, workerRuntime } from '../src/index.ts';
import { inTime } from './support/harness.ts';
import { fixture, isAlive, lines, startTimeOf, stateOf, TestRun } from './support/processes.ts';

const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
const run = new TestRun();
afterEach(() => run.end());

/** Another process with a worker and a promise in it, as an earlier life of this host, or another host. */
async function otherLife(): Promise<{ host: ChildProcess; handles: [HostedHandle, HostedHandle] }> {
  const host = spawn(process.execPath, ['--conditions=agent-killswitch-source', fixture('hosted.ts')], {
    env: run.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await lines(host, 1);
  return { host, handles: JSON.parse(line!) };
}

const runtimes = { worker: workerRuntime(), promise: promiseRuntime() };
const each = (handles: readonly HostedHandle[]): [Runtime, HostedHandle, string][] =>
  handles.map((handle) => [
    runtimes[handle.runtime as keyof typeof runtimes],
    handle,
    `other-${handle.runtime}`,
  ]);

const threadsOf = (pid: number): number => readdirSync(`/proc/${pid}/task`).length;

async function end(host: ChildProcess): Promise<void> {
  host.kill('SIGKILL');
  if (host.exitCode === null && host.signalCode === null) await once(host, 'exit');
}

describe('an agent in the memory of another process', () => {
  it('is not touched while that process runs, and that is said; it is dead once that process is gone', async () => {
    const { host, handles } = await otherLife();
    for (const [runtime, handle, agentId] of each(handles)) {
      const kill = runtime.kill(handle, inTime(agentId));
      await expect(kill).rejects.toThrow(UnreachableHandleError);
      await expect(kill).rejects.toThrow(`was not touched: it lives in process ${host.pid}, which runs`);
      await expect(runtime.stop?.(handle, inTime(agentId))).rejects.toThrow(UnreachableHandleError);
      expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({ state: 'unknown' });
    }
    expect(isAlive(host.pid!)).toBe(true);
    await end(host);
    for (const [runtime, handle, agentId] of each(handles)) {
      expect(await runtime.inspect(handle, inTime(agentId))).toEqual({
        state: 'dead',
        evidence: `process ${host.pid}, in which it lived, is gone from /proc`,
      });
      await runtime.kill(handle, inTime(agentId));
    }
  });

  it('is dead with a process that is a zombie, and not with one that is stopped', async () => {
    // Its parent, a shell that became `sleep`, never reaps it.
    const node = `"$0" --conditions=agent-killswitch-source "$1" & exec sleep 300`;
    const parent = spawn('sh', ['-c', node, process.execPath, fixture('hosted.ts')], {
      env: run.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await lines(parent, 1);
    const handles: HostedHandle[] = JSON.parse(line!);
    const pid = handles[0]!.life.process!.pid;
    process.kill(pid, 'SIGSTOP');
    for (const [runtime, handle, agentId] of each(handles))
      expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({ state: 'unknown' });
    process.kill(pid, 'SIGKILL');
    // A process whose first thread is gone may have others on their way out, which count.
    while (stateOf(pid) !== 'Z' || threadsOf(pid) > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const [runtime, handle, agentId] of each(handles)) {
      expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({
        state: 'dead',
        evidence: expect.stringContaining('is a zombie'),
      });
    }
  });

  it('is dead if its process has a pid that a later one has by now, or ran before the last boot', async () => {
    const { handles } = await otherLife();
    const instance = crypto.randomUUID();
    for (const [runtime, { life, ...handle }, agentId] of each(handles)) {
      const mine = { ...life.process!, pid: process.pid, startTime: startTimeOf(process.pid) - 1 };
      const reused = { ...handle, life: { instance, process: mine } };
      expect(await runtime.inspect(reused, inTime(agentId))).toMatchObject({
        state: 'dead',
        evidence: expect.stringContaining('its number belongs to a later process'),
      });
      const rebooted = {
        ...handle,
        life: { instance, process: { ...life.process!, bootId: crypto.randomUUID() } },
      };
      expect(await runtime.inspect(rebooted, inTime(agentId))).toMatchObject({
        state: 'dead',
        evidence: expect.stringContaining('the machine was rebooted'),
      });
    }
  });

  it('is unknown, and not touched, in any doubt: another machine, another namespace, another runtime here', async () => {
    const { host, handles } = await otherLife();
    await end(host);
    const instance = crypto.randomUUID();
    for (const [runtime, { life, ...handle }, agentId] of each(handles)) {
      const own = { ...life.process!, pid: process.pid, startTime: startTimeOf(process.pid) };
      for (const process of [
        { ...life.process!, machineId: 'another', bootId: crypto.randomUUID() },
        { ...life.process!, namespaces: 'pid:[7] time:[7]' },
        own,
        undefined,
      ]) {
        const doubtful = { ...handle, life: { instance, ...(process === undefined ? {} : { process }) } };
        expect(await runtime.inspect(doubtful, inTime(agentId))).toMatchObject({ state: 'unknown' });
        await expect(runtime.kill(doubtful, inTime(agentId))).rejects.toThrow(UnreachableHandleError);
      }
    }
  });

  it('is dead with its pid namespace where hosts have one each', async () => {
    const { handles } = await otherLife();
    const contained = workerRuntime({ ownNamespace: true });
    const { life, ...handle } = handles[0];
    const before = {
      ...handle,
      life: { ...life, process: { ...life.process!, namespaces: 'pid:[7] time:[7]' } },
    };
    expect(await contained.inspect(before, inTime('other-worker'))).toMatchObject({ state: 'dead' });
  });
});

it('a restarted host confirms the death of what lived in its former life, by that process being gone (I3)', async () => {
  const { host, handles } = await otherLife();
  const [state, audit] = [memoryState(), memoryAudit()];
  const deadlines = { forceAfter: 50, confirmWithin: 150 };
  const boot = async () => {
    const ks = createKillswitch({ hostId: 'h1', state, audit, runtimes, deadlines });
    const settled = new Promise<void>((resolve) => {
      ks.on('step', ({ step }) => step === 'settled' && resolve());
    });
    await ks.start();
    return { ...ks, settled };
  };
  const before = await boot();
  for (const [, handle, agentId] of each(handles)) {
    await before.admit({ agentId, taskId: agentId, workspaceId: 'w', ownerId: 'o' });
    await before.running(agentId, [handle]);
  }
  const report = await before.kill({ task: 'other-worker' }, { principal: root, reason: 'rogue' });
  expect(report.outcomes).toMatchObject([{ outcome: 'unconfirmed' }]);
  await before.close();
  await end(host);
  const after = await boot();
  const gone = `process ${host.pid}, in which it lived, is gone from /proc`;
  await after.settled;
  expect(await after.agent('other-worker')).toMatchObject({ status: 'killed', kill: { evidence: gone } });
  expect(await after.agent('other-promise')).toMatchObject({ status: 'failed' });
  await after.close();
});
