import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processRuntime, type SpawnedAgent } from '../src/index.ts';
import { isContained, mountHere, sleeper, startsAgents } from './support/contained.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { isAlive } from './support/processes.ts';

const start = startsAgents();
const runtime = processRuntime();
const { point, own } = mountHere();
const folderOf = ({ handle }: Pick<SpawnedAgent, 'handle'>): string => join(point, handle.cgroup!.path);

describe.runIf(isContained)('the cgroup of an agent', () => {
  it('is gone once the agent has ended by itself', async () => {
    const agent = await runtime.spawnAgent('true', [], { agentId: id('ended') });
    await agent.exited;
    expect(existsSync(folderOf(agent))).toBe(false);
    expect(await runtime.inspect(agent.handle, inTime(id('ended')))).toMatchObject({
      state: 'dead',
      evidence: expect.stringContaining('has been removed'),
    });
  });

  it('is gone at a later start if something lived on in it when its first process ended', async () => {
    const { handle, noted } = await start(runtime, id('lingers'), `(env -i A=1 setsid ${sleeper} &); exit 0`);
    while (isAlive(handle.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    const next = await runtime.spawnAgent('true', [], { agentId: id('next-1') });
    await next.exited;
    expect(existsSync(folderOf({ handle }))).toBe(true);
    process.kill(noted[0]!, 'SIGKILL');
    while (isAlive(noted[0]!)) await new Promise((resolve) => setTimeout(resolve, 5));
    const last = await runtime.spawnAgent('true', [], { agentId: id('next-2') });
    await last.exited;
    expect(existsSync(folderOf({ handle }))).toBe(false);
  });

  it('is not left behind when nothing could be started in it', async () => {
    const cwd = join(point, 'missing');
    await expect(runtime.spawnAgent('sh', [], { agentId: id('nowhere'), cwd })).rejects.toMatchObject({
      code: 'spawn-failed',
      cause: { code: 'ENOENT' },
    });
    await expect(runtime.spawnAgent('no-such-command', [], { agentId: id('nowhere') })).rejects.toMatchObject(
      {
        code: 'spawn-failed',
        cause: { code: 'ENOENT' },
      },
    );
    expect(existsSync(join(point, own, 'agent-killswitch', `agent-${id('nowhere')}`))).toBe(false);
  });

  it('is never shared: of two starts with one id at once, one is refused; after a death the id is free', async () => {
    const twins = await Promise.allSettled(
      ['a', 'b'].map(() => runtime.spawnAgent('sleep', ['300'], { agentId: id('twin') })),
    );
    expect(twins.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(twins[1]).toMatchObject({ reason: { code: 'spawn-failed' } });
    const first = twins[0] as PromiseFulfilledResult<SpawnedAgent>;
    expect(await stop(runtime, id('twin'), first.value.handle)).toMatchObject({ state: 'dead' });
    const again = await runtime.spawnAgent('sleep', ['300'], { agentId: id('twin') });
    await first.value.exited;
    expect(await runtime.inspect(again.handle, inTime(id('twin')))).toMatchObject({ state: 'alive' });
    expect(existsSync(folderOf(again))).toBe(true);
    expect(await stop(runtime, id('twin'), again.handle)).toMatchObject({ state: 'dead' });
  });

  it('is swept by a later host if it is old and empty, and only then', async () => {
    const parent = join(point, own, 'agent-killswitch');
    const [old, young] = [join(parent, `agent-${id('old')}`), join(parent, `agent-${id('young')}`)];
    mkdirSync(old);
    mkdirSync(young);
    const { handle, noted } = await start(runtime, id('populated'), `${sleeper} & wait`);
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const folder of [old, folderOf({ handle })]) utimesSync(folder, longAgo, longAgo);
    processRuntime();
    expect([old, young, folderOf({ handle })].map(existsSync)).toEqual([false, true, true]);
    utimesSync(young, longAgo, longAgo);
    processRuntime();
    expect(existsSync(young)).toBe(false);
    expect(noted.every(isAlive)).toBe(true);
    expect(await stop(runtime, id('populated'), handle)).toMatchObject({ state: 'dead' });
  });

  it('lets its agent be confirmed dead whatever strangers cannot be told from its processes (I5)', async () => {
    const { handle } = await start(runtime, id('clear'), 'echo $$ >> "$PIDS"; exec sleep 300');
    const foreign = `(env -u AGENT_KILLSWITCH_AGENT_ID sleep 300 & echo $! >> "$PIDS")`;
    const stranger = await start(processRuntime({ cgroup: 'off' }), id('stranger'), foreign);
    while (isAlive(stranger.handle.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    // A stranger in a session whose leader is gone: to an agent held by its mark it would be a doubt.
    const doubtful = { ...handle, pid: stranger.handle.pid, startTime: stranger.handle.startTime };
    const { cgroup, ...marked } = doubtful;
    expect(await runtime.inspect(marked, inTime(id('clear-2')))).toMatchObject({ state: 'unknown' });
    await stop(runtime, id('clear'), handle);
    await runtime.kill({ ...marked, cgroup: cgroup! }, inTime(id('clear')));
    expect(await settled(runtime, id('clear'), { ...marked, cgroup: cgroup! })).toMatchObject({
      state: 'dead',
    });
    expect(stranger.noted.every(isAlive)).toBe(true);
    process.kill(stranger.noted[0]!, 'SIGKILL');
  });
});
