import { spawn as spawnPlain } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import {
  InvalidHandleError,
  markVariable,
  processRuntime,
  type SpawnedAgent,
  UncertainVictimError,
  UnreachableHandleError,
} from '../src/index.ts';
import { id, inTime, settled } from './support/harness.ts';
import { fixture, isAlive, pids, startTimeOf, TestRun } from './support/processes.ts';

const run = new TestRun();
afterEach(() => run.end());

const runtime = processRuntime({ cgroup: 'off' });
const spawn = (agentId: string, command: string, ...args: string[]): Promise<SpawnedAgent> =>
  runtime.spawnAgent(command, args, { agentId, env: run.env, stdio: ['ignore', 'pipe', 'ignore'] });

describe('a kill spares (I11)', () => {
  it('a process that has the pid but started at another time', async () => {
    const { handle } = await spawn(id('innocent'), 'sleep', '300');
    for (const startTime of [handle.startTime + 1, handle.startTime - 1, 0]) {
      const forged = { ...handle, startTime };
      await runtime.kill(forged, inTime(id('forged')));
      await runtime.force(forged, inTime(id('forged')));
      const seen = await runtime.inspect(forged, inTime(id('forged')));
      expect(seen.state).toBe('dead');
      expect(seen.evidence).toContain('belongs to a later process');
    }
    expect(isAlive(handle.pid)).toBe(true);
  });

  it('processes of other agents and of nobody, also in the same process group', async () => {
    const bystander = spawnPlain('sleep', ['300'], { env: run.env, stdio: 'ignore' });
    const other = await spawn(id('other'), 'sh', fixture('tree.sh'), 'b', 's');
    await pids(other.child, 5);
    const shared = await spawn(
      'shared',
      'sh',
      '-c',
      `sleep 300 & echo $!; env -u ${markVariable} sleep 300 & echo $!; exec sleep 300`,
    );
    const [first, second] = await pids(shared.child, 2);
    const handle = await runtime.adopt(second!, { agentId: id('one'), orphans: 'ignore' });
    expect(handle.ownSession).toBe(false);
    await runtime.kill(handle, inTime(id('one')));
    expect(await settled(runtime, id('one'), handle)).toMatchObject({ state: 'dead' });
    for (const pid of [bystander.pid!, other.handle.pid, shared.handle.pid, first!])
      expect(isAlive(pid)).toBe(true);
    expect(isAlive(second!)).toBe(false);
  });

  it('an orphan in its session that is marked as another agent, and says so', async () => {
    const command = `${markVariable}=other sh -c 'sleep 300 & echo $!'; echo 0; exec sleep 300`;
    const agent = await spawn(id('mine'), 'sh', '-c', command);
    const [orphan] = await pids(agent.child, 2);
    const kill = runtime.kill(agent.handle, inTime(id('mine')));
    await expect(kill).rejects.toThrow(UncertainVictimError);
    await expect(kill).rejects.toThrow(`pid ${orphan} (in`);
    await agent.exited;
    expect(await runtime.inspect(agent.handle, inTime(id('mine')))).toMatchObject({ state: 'unknown' });
    expect(isAlive(orphan!)).toBe(true);
  });

  it('a leaderless session of which nothing is known, and does not call the agent dead', async () => {
    const command = `env -u ${markVariable} sh -c 'sleep 300 & echo $!'; exit 0`;
    const agent = await spawn(id('left'), 'sh', '-c', command);
    const [orphan] = await pids(agent.child, 1);
    await agent.exited;
    await expect(runtime.kill(agent.handle, inTime(id('left')))).rejects.toThrow(UncertainVictimError);
    const seen = await runtime.inspect(agent.handle, inTime(id('left')));
    expect(seen).toEqual({
      state: 'unknown',
      evidence: `may belong to it: pid ${orphan} (in session ${agent.handle.pid}, whose leader is gone)`,
    });
    expect(isAlive(orphan!)).toBe(true);
  });

  it('itself and its own ancestors', async () => {
    const { handle } = await spawn(id('sample'), 'sleep', '300');
    const self = { ...handle, pid: process.pid, startTime: startTimeOf(process.pid), ownSession: false };
    await expect(runtime.kill(self, inTime(id('self')))).rejects.toThrow('is this very process');
    expect((await runtime.inspect(self, inTime(id('self')))).state).toBe('unknown');
    const parent = { ...handle, pid: process.ppid, startTime: startTimeOf(process.ppid), ownSession: false };
    await expect(runtime.kill(parent, inTime(id('parent')))).rejects.toThrow(InvalidHandleError);
    expect((await runtime.inspect(parent, inTime(id('parent')))).state).toBe('alive');
    for (const pid of [process.pid, process.ppid, 1, 0, -1, Number.NaN]) {
      await expect(runtime.adopt(pid, { agentId: id('no') })).rejects.toThrow(InvalidHandleError);
    }
    expect(isAlive(process.ppid)).toBe(true);
  });

  it('what is on another machine or in another pid namespace; after a reboot it is dead', async () => {
    const { handle } = await spawn(id('far'), 'sleep', '300');
    const otherBoot = { ...handle, bootId: crypto.randomUUID() };
    const otherMachine = { ...otherBoot, machineId: 'elsewhere' };
    const otherNamespace = { ...handle, namespaces: 'pid:[7] time:[7]' };
    await runtime.kill(otherBoot, inTime(id('far')));
    expect(await runtime.inspect(otherBoot, inTime(id('far')))).toEqual({
      state: 'dead',
      evidence: `pid ${handle.pid}: the machine was rebooted since it was started`,
    });
    for (const elsewhere of [otherMachine, otherNamespace]) {
      await expect(runtime.kill(elsewhere, inTime(id('far')))).rejects.toThrow(UnreachableHandleError);
      expect((await runtime.inspect(elsewhere, inTime(id('far')))).state).toBe('unknown');
    }
    expect(isAlive(handle.pid)).toBe(true);
  });
});
