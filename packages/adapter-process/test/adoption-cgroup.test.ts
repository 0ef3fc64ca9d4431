import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type ProcessHandle, processRuntime } from '../src/index.ts';
import { isContained, mountHere } from './support/contained.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { fixture, isAlive, pids, TestRun } from './support/processes.ts';
import { Corner, end } from './support/unmarked.ts';

const run = new TestRun();
const corner = new Corner();
afterEach(() => run.end());
afterAll(() => corner.close());

const runtime = processRuntime();
const home = (agentId: string, below = corner.path): string => `${below}/agent-killswitch/adopted-${agentId}`;
const folderOf = ({ cgroup }: ProcessHandle): string => join(mountHere().point, cgroup!.path);
const cgroupOf = (pid: number): string | undefined =>
  /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1];

describe.runIf(isContained)(
  'an adopted process is moved with its tree into a cgroup below the one it is in',
  () => {
    it('and what it loses then dies with it (I1, I3)', async () => {
      const agent = await corner.start(run);
      const child = await agent.ask('child');
      const handle = await runtime.adopt(agent.pid, { agentId: id('held') });
      expect(handle).toMatchObject({ cgroup: { path: home(id('held')) } });
      expect(handle.orphans).toBeUndefined();
      expect([agent.pid, child].map(cgroupOf)).toEqual(Array(2).fill(home(id('held'))));
      const lost = await agent.ask('lost');
      await end(agent.pid);
      expect(await runtime.inspect(handle, inTime(id('held')))).toMatchObject({ state: 'alive' });
      const seen = await stop(runtime, id('held'), handle);
      expect(seen).toEqual({ state: 'dead', evidence: expect.stringMatching(/its cgroup .* is empty$/) });
      expect([child, lost].filter(isAlive)).toEqual([]);
      expect(existsSync(folderOf(handle))).toBe(false);
    });

    it('but is not called dead while what it lost before lives (I3)', async () => {
      const agent = await corner.start(run);
      const early = await agent.ask('lost');
      const handle = await runtime.adopt(agent.pid, { agentId: id('late') });
      const late = await agent.ask('lost');
      const kill = runtime.kill(handle, inTime(id('late')));
      await expect(kill).rejects.toThrow(`pid ${early} (an orphan`);
      const seen = await runtime.inspect(handle, inTime(id('late')));
      expect(seen).toMatchObject({ state: 'unknown', evidence: expect.stringContaining(`pid ${early} (`) });
      expect([agent.pid, early, late].map(isAlive)).toEqual([false, true, false]);
      await end(early);
      expect(await settled(runtime, id('late'), handle)).toMatchObject({ state: 'dead' });
    });

    it.each([1, 60])('also while it forks, after fork %i', async (count) => {
      const agent = await corner.start(run, { script: `echo $$; . ${fixture('forks.sh')}` });
      for (let forks = 0; forks < count; forks += 1) await agent.ask('');
      const handle = await runtime.adopt(agent.pid, { agentId: id(`forks-${count}`) });
      expect(handle.cgroup).toBeDefined();
      expect(run.alive().filter((pid) => cgroupOf(pid) !== handle.cgroup?.path)).toEqual([]);
      expect(await stop(runtime, id(`forks-${count}`), handle)).toMatchObject({ state: 'dead' });
      expect(run.alive()).toEqual([]);
    });

    it('which a host that was restarted, or makes none itself, kills by its handle and finds by its name', async () => {
      const agent = await corner.start(run);
      const handle = await runtime.adopt(agent.pid, { agentId: id('later') });
      const lost = await agent.ask('lost');
      await end(agent.pid);
      const [found] = await processRuntime().locate(id('later'), inTime(id('later')));
      expect(found).toMatchObject({ pid: lost, cgroup: handle.cgroup });
      const other = processRuntime({ cgroup: 'off' });
      const onRecord = JSON.parse(JSON.stringify(handle));
      expect(await other.inspect(onRecord, inTime(id('later')))).toMatchObject({ state: 'alive' });
      expect(await stop(other, id('later'), onRecord)).toMatchObject({ state: 'dead' });
      expect(isAlive(lost)).toBe(false);
    });

    it('once: adopted again it stays there, and who it lost before the first time is still doubted', async () => {
      const agent = await corner.start(run);
      const early = await agent.ask('lost');
      const first = await runtime.adopt(agent.pid, { agentId: id('twice') });
      const again = await processRuntime().adopt(agent.pid, { agentId: id('twice') });
      expect(again.cgroup).toEqual(first.cgroup);
      const other = await runtime.adopt(agent.pid, { agentId: id('as-other') });
      expect(other.cgroup?.path).toBe(home(id('as-other'), first.cgroup?.path));
      await runtime.kill(other, inTime(id('as-other'))).catch(() => undefined);
      expect(isAlive(agent.pid)).toBe(false);
      for (const [agentId, handle] of [
        [id('twice'), again],
        [id('as-other'), other],
      ] as const)
        expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({ state: 'unknown' });
      await end(early);
      for (const [agentId, handle] of [
        [id('as-other'), other],
        [id('twice'), again],
      ] as const)
        expect(await settled(runtime, agentId, handle)).toMatchObject({ state: 'dead' });
    });

    it('and stays in the one that it was started in as an agent', async () => {
      const { child, handle } = await runtime.spawnAgent('sh', ['-c', 'echo $$; exec sleep 300'], {
        agentId: id('born'),
        env: run.env,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      // It has joined its cgroup by then.
      await pids(child, 1);
      const again = await runtime.adopt(handle.pid, { agentId: id('born') });
      expect(again).toEqual(handle);
      const other = await runtime.adopt(handle.pid, { agentId: id('nested') });
      expect(other.cgroup?.path).toBe(home(id('nested'), handle.cgroup?.path));
      expect(await stop(runtime, id('born'), handle)).toMatchObject({ state: 'dead' });
      expect(await settled(runtime, id('nested'), other)).toMatchObject({ state: 'dead' });
    });

    it('without its neighbours: an orphan of another in its session is spared (I11)', async () => {
      const script = `(AGENT_KILLSWITCH_AGENT_ID=another sh -c 'echo $$; exec sleep 300' &); exec sleep 300`;
      const agent = await corner.start(run, { script: `echo $$; ${script}` });
      const neighbour = await agent.ask('');
      const handle = await runtime.adopt(agent.pid, { agentId: id('session') });
      await runtime.kill(handle, inTime(id('session'))).catch(() => undefined);
      expect([agent.pid, neighbour].map(isAlive)).toEqual([false, true]);
    });
  },
);

describe.runIf(isContained)('an adopted process is left where it is', () => {
  async function expectLeft(pid: number, agentId: string): Promise<void> {
    const before = cgroupOf(pid);
    const handle = await runtime.adopt(pid, { agentId });
    expect(handle).toMatchObject({ orphans: {} });
    expect(handle.cgroup).toBeUndefined();
    expect(cgroupOf(pid)).toBe(before);
    expect(existsSync(join(mountHere().point, `${before}/agent-killswitch/adopted-${agentId}`))).toBe(false);
    await stop(runtime, agentId, handle);
    expect(isAlive(pid)).toBe(false);
  }

  it('if one of its tree is in another cgroup: somebody put it there', async () => {
    const agent = await corner.start(run);
    const child = await agent.ask('child');
    writeFileSync(join(corner.sub('elsewhere'), 'cgroup.procs'), String(child));
    await expectLeft(agent.pid, id('spread'));
    expect(isAlive(child)).toBe(false);
  });

  it('if its cgroup is threaded, where nobody can be moved', async () => {
    const folder = corner.sub('threaded/part');
    writeFileSync(join(folder, 'cgroup.type'), 'threaded');
    const agent = await corner.start(run, { folder: corner.sub('threaded') });
    writeFileSync(join(folder, 'cgroup.procs'), String(agent.pid));
    await expectLeft(agent.pid, id('threaded'));
  });

  it('if it is in another pid namespace, as in a container, whose engine holds it', async () => {
    const script = `unshare --pid --fork sh -c 'exec sleep 300' & until child=$(cat /proc/$!/task/$!/children) && [ -n "$child" ]; do :; done; echo $child; wait`;
    const agent = await corner.start(run, { script });
    await expectLeft(agent.pid, id('namespace'));
  });

  it('if the agent has another cgroup there already, in which something lives', async () => {
    const agent = await corner.start(run);
    const folder = join(corner.folder, 'agent-killswitch', `adopted-${id('taken')}`);
    mkdirSync(folder, { recursive: true });
    const before = cgroupOf(agent.pid);
    const handle = await runtime.adopt(agent.pid, { agentId: id('taken') });
    expect(handle.cgroup).toBeUndefined();
    expect(cgroupOf(agent.pid)).toBe(before);
    expect(await stop(runtime, id('taken'), handle)).toMatchObject({ state: 'dead' });
  });
});
