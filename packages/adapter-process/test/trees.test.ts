import { spawn as spawnPlain } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { processRuntime, type SpawnedAgent } from '../src/index.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { fixture, isAlive, lines, pids, stateOf, TestRun } from './support/processes.ts';

const run = new TestRun();
afterEach(() => run.end());

const runtime = processRuntime({ cgroup: 'off' });
const stdio = ['ignore', 'pipe', 'ignore'] as const;
const spawn = (agentId: string, command: string, ...args: string[]): Promise<SpawnedAgent> =>
  runtime.spawnAgent(command, args, { agentId, env: run.env, stdio: [...stdio] });
const tree = (agentId: string, ...letters: string[]): Promise<SpawnedAgent> =>
  spawn(agentId, 'sh', fixture('tree.sh'), ...letters);

/** Kills the agent; afterwards nothing of it lives, by its own look and by the test's. */
async function expectKilled(agentId: string, { handle }: Pick<SpawnedAgent, 'handle'>, by = runtime) {
  const seen = await stop(by, agentId, handle);
  expect(seen).toMatchObject({ state: 'dead' });
  expect(run.alive()).toEqual([]);
  return seen.evidence;
}

describe('a kill reaches (I1, I3)', () => {
  it('an agent that ignores every signal that can be ignored', async () => {
    const agent = await spawn(id('stubborn'), process.execPath, fixture('stubborn.mjs'));
    const [pid] = await pids(agent.child, 1);
    process.kill(pid!, 'SIGTERM');
    process.kill(pid!, 'SIGHUP');
    expect(isAlive(pid!)).toBe(true);
    expect(await expectKilled(id('stubborn'), agent)).toBe(`pid ${pid} gone from /proc`);
    expect(await agent.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('a tree with children in sessions of their own', async () => {
    const agent = await tree(id('tree'), 'b', 's', 'b', 't');
    const members = await pids(agent.child, 11);
    expect(members.every(isAlive)).toBe(true);
    expect((await runtime.inspect(agent.handle, inTime(id('tree')))).evidence).toMatch(/^pid .* alive$/);
    expect(await expectKilled(id('tree'), agent)).toMatch(
      new RegExp(`^pid ${agent.handle.pid} and \\d+ descendants gone from /proc$`),
    );
  });

  it('a double fork whose first process has ended, also when asked of a runtime that never saw it', async () => {
    for (const by of [runtime, processRuntime({ cgroup: 'off' })]) {
      const agent = await tree(id('orphan'), 'd', 'f');
      const members = await pids(agent.child, 3);
      await agent.exited;
      expect(members.filter(isAlive)).toHaveLength(2);
      expect(await by.inspect(agent.handle, inTime(id('orphan')))).toMatchObject({ state: 'alive' });
      await expectKilled(id('orphan'), agent, by);
    }
  });

  it('nothing is in doubt because of processes that have no environment at all', async () => {
    const bystander = spawnPlain('env', ['-i', 'setsid', 'sleep', '300'], { stdio: 'ignore' });
    try {
      await expectKilled(id('plain'), await spawn(id('plain'), 'sleep', '300'));
      const agent = await spawn(
        id('empty'),
        'sh',
        '-c',
        'env -i /bin/sleep 300 & env -i /bin/sleep 300 & wait',
      );
      await expectKilled(id('empty'), agent);
    } finally {
      bystander.kill('SIGKILL');
    }
  });

  it('children without the mark, by lineage', async () => {
    const agent = await tree(id('bare'), 'e', 's', 'f');
    await pids(agent.child, 4);
    await expectKilled(id('bare'), agent);
  });

  it('children without the mark whose parent has ended since it was last looked at', async () => {
    const agent = await tree(id('bare-orphan'), 'e', 's', 'f');
    const members = await pids(agent.child, 4);
    await runtime.inspect(agent.handle, inTime(id('bare-orphan')));
    process.kill(agent.handle.pid, 'SIGKILL');
    await agent.exited;
    expect(members.filter(isAlive)).toHaveLength(3);
    await expectKilled(id('bare-orphan'), agent);
  });

  it('a stopped process and the child of one', async () => {
    const agent = await tree(id('stopped'), 'p', 'p');
    const members = await pids(agent.child, 3);
    process.kill(agent.handle.pid, 'SIGSTOP');
    expect(members.every(isAlive)).toBe(true);
    await expectKilled(id('stopped'), agent);
  });

  it.each([1, 40, 120])('an agent that forks as fast as it can, after its fork %i', async (count) => {
    const agent = await spawn(id(`forks-${count}`), 'sh', fixture('forks.sh'));
    await lines(agent.child, count);
    await expectKilled(id(`forks-${count}`), agent);
  });

  it.each([3, 30, 61])(
    'an agent that moves to a new process and session all the time, after move %i',
    async (count) => {
      const agent = await spawn(id(`hops-${count}`), 'sh', fixture('hops.sh'), '60');
      await lines(agent.child, count);
      await expectKilled(id(`hops-${count}`), agent);
    },
  );

  it.each([1, 50, 301])('an agent that execs all the time, after exec %i', async (count) => {
    const agent = await spawn(id(`execs-${count}`), 'sh', fixture('execs.sh'), '300');
    await lines(agent.child, count);
    await expectKilled(id(`execs-${count}`), agent);
  });

  it('a zombie that its parent does not reap, and says that it is one', async () => {
    // The shell becomes a `sleep`, which never waits for the child it inherits.
    const holder = await spawn(id('holder'), 'sh', '-c', 'sleep 300 & echo $!; exec sleep 300');
    const [pid] = await pids(holder.child, 1);
    const handle = await runtime.adopt(pid!, { agentId: id('held'), orphans: 'ignore' });
    await runtime.kill(handle, inTime(id('held')));
    const seen = await settled(runtime, id('held'), handle);
    expect(stateOf(pid!)).toBe('Z');
    expect(seen).toEqual({
      state: 'dead',
      evidence: `pid ${pid} is a zombie: dead, not yet reaped by its parent ${holder.handle.pid}`,
    });
    expect(isAlive(holder.handle.pid)).toBe(true);
    await expectKilled(id('holder'), holder);
  });
});
