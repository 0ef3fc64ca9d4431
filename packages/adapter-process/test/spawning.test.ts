import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidConfigurationError, InvalidInputError } from '@agent-killswitch/core';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidHandleError, processRuntime, SpawnFailedError } from '../src/index.ts';
import { id, inTime, settled } from './support/harness.ts';
import { fixture, isAlive, lines, pids, startTimeOf, TestRun } from './support/processes.ts';

const run = new TestRun();
afterEach(() => run.end());

const runtime = processRuntime({ cgroup: 'off' });

describe('spawnAgent', () => {
  it('starts the command in its own session, marked, with a handle that is JSON', async () => {
    const script = 'echo $AGENT_KILLSWITCH_AGENT_ID $EXTRA $(pwd)';
    const agent = await runtime.spawnAgent('sh', ['-c', script], {
      agentId: id('a:1'),
      env: { ...run.env, AGENT_KILLSWITCH_AGENT_ID: 'outer', EXTRA: 'more' },
      cwd: '/proc',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(await lines(agent.child, 1)).toEqual([`${id('a:1')} more /proc`]);
    expect(agent.handle).toMatchObject({ runtime: 'process', pid: agent.child.pid, ownSession: true });
    expect(JSON.parse(JSON.stringify(agent.handle))).toEqual(agent.handle);
    expect(await agent.exited).toEqual({ code: 0, signal: null });
  });

  it('says how the process ended, also one that ends at once', async () => {
    for (const code of [0, 3]) {
      const agent = await runtime.spawnAgent('sh', ['-c', `exit ${code}`], {
        agentId: id('brief'),
        env: run.env,
      });
      expect(await agent.exited).toEqual({ code, signal: null });
      expect(await settled(runtime, id('brief'), agent.handle)).toMatchObject({ state: 'dead' });
    }
  });

  it('rejects with a named error when the command cannot be started', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-killswitch-'));
    try {
      const plain = join(folder, 'not-executable');
      writeFileSync(plain, 'no');
      const attempts = [
        { command: join(folder, 'missing'), cwd: folder, code: 'ENOENT' },
        { command: plain, cwd: folder, code: 'EACCES' },
        { command: 'sh', cwd: join(folder, 'missing'), code: 'ENOENT' },
        { command: 'a\0b', cwd: folder, code: 'ERR_INVALID_ARG_VALUE' },
      ];
      for (const { command, cwd, code } of attempts) {
        const attempt = runtime.spawnAgent(command, [], { agentId: id('failing'), cwd, env: run.env });
        await expect(attempt).rejects.toThrow(SpawnFailedError);
        await expect(attempt).rejects.toMatchObject({ code: 'spawn-failed', cause: { code } });
      }
      for (const agentId of ['', 'a b', '../x', 'a\0b', '__proto__']) {
        const attempt = runtime.spawnAgent('true', [], { agentId, env: run.env });
        await expect(attempt).rejects.toThrow(InvalidInputError);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('adopt', () => {
  it('gives a handle for a process that runs already, with its tree', async () => {
    const { child, handle } = await runtime.spawnAgent('sh', [fixture('tree.sh'), 'b', 's'], {
      agentId: id('started'),
      env: run.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await pids(child, 5);
    const adopted = await runtime.adopt(handle.pid, {
      agentId: id('adopted'),
      startTime: startTimeOf(handle.pid),
      orphans: 'ignore',
    });
    expect(adopted).toEqual(handle);
    await runtime.kill(adopted, inTime(id('adopted')));
    expect(await settled(runtime, id('adopted'), adopted)).toMatchObject({ state: 'dead' });
    expect(run.alive()).toEqual([]);
  });

  it('refuses a pid that is gone or another process than meant', async () => {
    const { handle, exited } = await runtime.spawnAgent('sleep', ['300'], { agentId: id('x'), env: run.env });
    const wrong = runtime.adopt(handle.pid, { agentId: id('y'), startTime: handle.startTime + 1 });
    await expect(wrong).rejects.toThrow(InvalidHandleError);
    await runtime.kill(handle, inTime(id('x')));
    await exited;
    await expect(runtime.adopt(handle.pid, { agentId: id('y') })).rejects.toThrow(InvalidHandleError);
  });
});

describe('locate', () => {
  it('finds the top-most living processes that carry the mark', async () => {
    const { child, handle, exited } = await runtime.spawnAgent('sh', [fixture('tree.sh'), 'd', 'b'], {
      agentId: id('lost'),
      env: run.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const members = await pids(child, 4);
    await exited;
    const stranger = processRuntime({ cgroup: 'off' });
    const found = await stranger.locate(id('lost'), inTime(id('lost')));
    expect(found).toHaveLength(1);
    expect(members).toContain(found[0]!.pid);
    expect(found[0]).toEqual({ ...handle, pid: found[0]!.pid, startTime: startTimeOf(found[0]!.pid) });
    expect(await stranger.locate(id('los'), inTime(id('los')))).toEqual([]);
    await stranger.kill(found[0]!, inTime(id('lost')));
    expect(await settled(stranger, id('lost'), found[0]!)).toMatchObject({ state: 'dead' });
    expect(await stranger.locate(id('lost'), inTime(id('lost')))).toEqual([]);
    expect(members.filter(isAlive)).toEqual([]);
  });
});

it('refuses options that make no sense', () => {
  for (const options of [{ runtime: 'a b' }, { machineId: '' }, { ownNamespace: 'yes' }, { cgroups: true }]) {
    expect(() => processRuntime(options as never)).toThrow(InvalidConfigurationError);
  }
});
