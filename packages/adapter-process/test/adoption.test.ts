import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { processRuntime, UncertainVictimError } from '../src/index.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { isAlive, startTimeOf, TestRun } from './support/processes.ts';
import { Corner, end } from './support/unmarked.ts';

const run = new TestRun();
const corner = new Corner();
afterEach(() => run.end());
afterAll(() => corner.close());

const runtime = processRuntime({ cgroup: 'off' });
const cgroupOf = (pid: number): string => readFileSync(`/proc/${pid}/cgroup`, 'latin1');

describe('an adopted process without a mark, in no cgroup of its own', () => {
  it.each(['since', 'before'])(
    'is not called dead while what it lost %s lives, which is named and not touched (I3)',
    async (when) => {
      const agent = await corner.start(run);
      const agentId = id(`lost-${when}`);
      const early = when === 'before' ? await agent.ask('lost') : 0;
      const handle = await runtime.adopt(agent.pid, { agentId });
      const lost = early || (await agent.ask('lost'));
      const kill = runtime.kill(handle, inTime(agentId));
      await expect(kill).rejects.toThrow(UncertainVictimError);
      await expect(kill).rejects.toThrow(`pid ${lost} (`);
      const seen = await runtime.inspect(handle, inTime(agentId));
      expect(seen.state).toBe('unknown');
      expect(seen.evidence).toContain(`pid ${lost} (an orphan that started after it, in its cgroup)`);
      expect([agent.pid, lost].map(isAlive)).toEqual([false, true]);
      await end(lost);
      expect(await settled(runtime, agentId, handle)).toMatchObject({ state: 'dead' });
    },
  );

  it('keeps that doubt on record: a restarted host that has only the handle shares it', async () => {
    const agent = await corner.start(run);
    const handle = await runtime.adopt(agent.pid, { agentId: id('recorded') });
    const lost = await agent.ask('lost');
    await end(agent.pid);
    const restarted = processRuntime({ cgroup: 'off' });
    const onRecord = JSON.parse(JSON.stringify(handle));
    expect(await restarted.inspect(onRecord, inTime(id('recorded')))).toMatchObject({ state: 'unknown' });
    await end(lost);
    expect(await settled(restarted, id('recorded'), onRecord)).toMatchObject({ state: 'dead' });
  });

  it('finds what it lost by session or was seen with before, and kills that', async () => {
    const agent = await corner.start(run);
    const handle = await runtime.adopt(agent.pid, { agentId: id('seen') });
    const child = await agent.ask('child');
    expect(await runtime.inspect(handle, inTime(id('seen')))).toMatchObject({ state: 'alive' });
    await end(agent.pid);
    expect(isAlive(child)).toBe(true);
    expect(await stop(runtime, id('seen'), handle)).toMatchObject({ state: 'dead' });
    expect(isAlive(child)).toBe(false);
  });

  it('is dead all the same if its host says that orphans are not its', async () => {
    const agent = await corner.start(run);
    const handle = await runtime.adopt(agent.pid, { agentId: id('sure'), orphans: 'ignore' });
    const lost = await agent.ask('lost');
    expect(await stop(runtime, id('sure'), handle)).toMatchObject({ state: 'dead' });
    expect(isAlive(lost)).toBe(true);
  });

  it('nor while an orphan lives that carries the mark of an agent which nobody knows: anybody can write one (I3)', async () => {
    const agent = await corner.start(run, { env: { OTHER: id('invented') } });
    const handle = await runtime.adopt(agent.pid, { agentId: id('forged') });
    const forged = await agent.ask('marked');
    const seen = await stop(runtime, id('forged'), handle, ({ state }) => state === 'unknown');
    expect(seen.evidence).toContain(`pid ${forged} (an orphan`);
    expect(seen.evidence).toContain(`marked as agent ${id('invented')}, which is not known here`);
    await end(forged);
    expect(await settled(runtime, id('forged'), handle)).toMatchObject({ state: 'dead' });
  });

  it('is not doubted for others: of this host, older than it, of another agent, or adopted as one', async () => {
    const known = { agentId: id('known'), env: run.env };
    await runtime.spawnAgent('sleep', ['300'], known);
    const elder = await corner.start(run, { env: { OTHER: known.agentId } });
    const older = await elder.ask('lost');
    while (startTimeOf(older) === startTimeOf((await corner.start(run)).pid));
    const agent = await corner.start(run);
    const handle = await runtime.adopt(agent.pid, { agentId: id('clear') });
    const service = await corner.start(run, { script: 'echo $$; exec sleep 300' });
    const other = await elder.ask('marked');
    const adopted = await elder.ask('lost');
    await runtime.adopt(adopted, { agentId: id('clear-other') });
    expect(await stop(runtime, id('clear'), handle)).toMatchObject({ state: 'dead' });
    expect([older, service.pid, other, adopted].every(isAlive)).toBe(true);
  });

  it('is found by its mark if it has one: then nobody else is doubted', async () => {
    const agent = await corner.start(run, { env: { AGENT_KILLSWITCH_AGENT_ID: id('marked') } });
    const handle = await runtime.adopt(agent.pid, { agentId: id('marked') });
    expect(handle.orphans).toBeUndefined();
    const elder = await corner.start(run);
    const stranger = await elder.ask('lost');
    expect(await stop(runtime, id('marked'), handle)).toMatchObject({ state: 'dead' });
    expect(isAlive(stranger)).toBe(true);
  });

  it('stays in the cgroup it is in', async () => {
    for (const by of [runtime, processRuntime({ cgroup: 'spawned' })]) {
      const agent = await corner.start(run);
      const before = cgroupOf(agent.pid);
      const handle = await by.adopt(agent.pid, { agentId: id('stays') });
      expect(handle.cgroup).toBeUndefined();
      expect(cgroupOf(agent.pid)).toBe(before);
      expect(await stop(by, id('stays'), handle)).toMatchObject({ state: 'dead' });
    }
  });
});
