/**
 * Containers made by the package: limits, registration, kills at any moment of their making.
 * @services docker
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dockerRuntime } from '../src/index.ts';
import { create, exists, pidsOf, stubborn } from './support/containers.ts';
import { FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { expectUnconfirmed, outcomeOf, root, type World, world } from './support/world.ts';

withEngine((on) => {
  const command = [...stubborn];
  let what: { image: string; command: string[]; networkMode: string };
  let engine: FaultyEngine;
  let w: World;
  beforeEach(async () => {
    what = { image: on.image, command, networkMode: 'none' };
    engine = await FaultyEngine.before(on.url);
    w = await world(engine.docker, {
      installation: 'here',
      deadlines: { forceAfter: 500, confirmWithin: 1_500 },
    });
  });
  afterEach(async () => {
    engine.close();
    await w.close().catch(() => {});
  });

  const killA = () => w.ks.kill({ agent: 'a' }, { principal: root, reason: 'test' });

  it('has its limits and labels, is on record as running, and dies by its cgroup', async () => {
    await w.admit('a');
    const { containerId, handle } = await w.runtime.sandbox(w.ks, {
      ...what,
      agentId: 'a',
      env: { GREETING: 'hello there' },
      memoryBytes: 64 * 1024 * 1024,
      cpus: 0.5,
      pidsLimit: 32,
      readOnlyRoot: true,
      tmpfs: { '/scratch': 'size=1m' },
      labels: { team: 'x', 'agent-killswitch.agent': 'somebody-else' },
    });
    const { HostConfig, Config } = await on.docker.getContainer(containerId).inspect();
    expect(HostConfig).toMatchObject({
      Memory: 64 * 1024 * 1024,
      MemorySwap: 64 * 1024 * 1024,
      NanoCpus: 500_000_000,
      PidsLimit: 32,
      ReadonlyRootfs: true,
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
    });
    expect(Config.Labels).toEqual({
      team: 'x',
      'agent-killswitch.agent': 'a',
      'agent-killswitch.installation': 'here',
    });
    expect(limitsOf(containerId)).toEqual({ memory: 64 * 1024 * 1024, cpus: 0.5, pids: 32 });
    expect(Config.Env).toContain('GREETING=hello there');
    // Nor is what may be a secret in a URL, which proxies write to their logs.
    expect(engine.requests.join()).not.toContain('GREETING');
    expect(await w.ks.agent('a')).toMatchObject({
      status: 'running',
      handles: [JSON.parse(JSON.stringify(handle))],
    });
    expect(handle.local?.cgroup).toContain(containerId);
    const cli = await on.docker
      .getContainer(containerId)
      .exec({ Cmd: ['touch', '/file'], AttachStderr: true });
    await (await cli.start({})).resume();
    await expect.poll(async () => (await cli.inspect()).ExitCode).toBe(1);
    expect(outcomeOf(await killA(), 'a')).toMatchObject({ outcome: 'confirmed' });
    expect(pidsOf(containerId)).toEqual([]);
    await expect.poll(() => exists(on.docker, containerId)).toBe(false);
  });

  it('no new privileges, whatever the image brings', async () => {
    await w.admit('a');
    const { containerId } = await w.runtime.sandbox(w.ks, { ...what, agentId: 'a' });
    const [pid] = pidsOf(containerId);
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  it.each([
    { agentId: 'not an id' },
    { memoryBytes: 1 },
    { cpus: 0 },
    { pidsLimit: 0 },
    { image: '' },
    { binds: ['relative:/x'] },
    { privileged: true },
  ])('refuses %j by name, before anything is asked of the engine', async (bad) => {
    await w.admit('a');
    await expect(w.runtime.sandbox(w.ks, { ...what, agentId: 'a', ...bad } as never)).rejects.toMatchObject({
      code: 'invalid-input',
    });
    expect(engine.requests).toEqual([]);
  });

  it('an image that is not there: named, nothing left, the agent fails', async () => {
    await w.admit('a');
    const failing = w.runtime.sandbox(w.ks, { agentId: 'a', image: 'no-such-image' });
    await expect(failing).rejects.toMatchObject({
      code: 'engine-refused',
      message: expect.stringContaining('No such image'),
    });
    expect(await w.ks.failed('a', 'no image')).toBe(true);
    expect(await on.docker.listContainers({ all: true })).toEqual([]);
  });

  it('a command that is not there: named, nothing left, the agent fails', async () => {
    await w.admit('a');
    await expect(
      w.runtime.sandbox(w.ks, { ...what, command: ['no-such-command'], agentId: 'a' }),
    ).rejects.toMatchObject({ code: 'sandbox-failed' });
    expect(await w.ks.failed('a', 'no command')).toBe(true);
    await expect.poll(() => on.docker.listContainers({ all: true })).toEqual([]);
  });

  it('an agent that was killed before: nothing is created', async () => {
    await w.admit('a');
    const stop = killA();
    await expect.poll(async () => (await w.ks.agent('a')).status).toBe('killing');
    await expect(w.runtime.sandbox(w.ks, { ...what, agentId: 'a' })).rejects.toMatchObject({
      code: 'agent-stopped',
    });
    expect(engine.requests).toEqual([]);
    await w.ks.failed('a', 'stopped');
    expect(outcomeOf(await stop, 'a')).toMatchObject({ outcome: 'confirmed' });
  });

  describe('kill during creation', () => {
    /** Kills the agent when the first request comes that matches, before it gets to the engine. */
    function killAt(matches: RegExp): Promise<Awaited<ReturnType<typeof killA>>> {
      return new Promise((resolve) => {
        engine.fault = (method, path) => {
          if (matches.test(`${method} ${path}`)) {
            engine.fault = () => 'pass';
            void killA().then(resolve);
          }
          return 'pass';
        };
      });
    }

    it.each([
      ['while it is created', /^POST .*\/containers\/create/],
      ['while it is started', /^POST .*\/start/],
      ['right after its start', /^GET .*\/json/],
    ])('%s: destroyed, confirmed, removed (I1, I3)', async (_, matches) => {
      await w.admit('a');
      const stop = killAt(matches);
      const error = await w.runtime
        .sandbox(w.ks, { ...what, agentId: 'a' })
        .catch((thrown: unknown) => thrown);
      if (error instanceof Error) {
        expect(error).toMatchObject({ code: 'agent-stopped' });
        await w.ks.failed('a', error);
      }
      const report = await stop;
      expect(report).toMatchObject({ killed: 1, failed: 0 });
      await expect.poll(() => on.docker.listContainers({ all: true })).toEqual([]);
    });

    it('created and not started when its engine went silent: not confirmed before it is seen to be gone (I3)', async () => {
      await w.admit('a');
      let silent = true;
      engine.fault = (method, path) =>
        silent && !/create|info/.test(path) && (method !== 'GET' || /json/.test(path)) ? 'silence' : 'pass';
      const making = w.runtime.sandbox(w.ks, { ...what, agentId: 'a' }).catch((thrown: unknown) => thrown);
      await expect.poll(() => engine.requests.some((line) => line.includes('/start'))).toBe(true);
      const report = await killA();
      await expectUnconfirmed(w, report, 'a');
      expect(await making).toMatchObject({ code: 'agent-stopped' });
      silent = false;
      await expect.poll(async () => (await w.ks.agent('a')).status, { timeout: 10_000 }).toBe('killed');
      await expect.poll(() => on.docker.listContainers({ all: true }), { timeout: 10_000 }).toEqual([]);
    });
  });

  it('a crash between creation and start: found by its label, also while it has not started; not when it is dead', async () => {
    await w.admit('a');
    const labels = { 'agent-killswitch.agent': 'a', 'agent-killswitch.installation': 'here' };
    const id = await create(on.docker, on.image, { Labels: labels });
    const stranger = await create(on.docker, on.image, {
      Labels: { ...labels, 'agent-killswitch.installation': 'elsewhere' },
    });
    const other = dockerRuntime(on.docker, { installation: 'here' });
    const context = { agentId: 'a', signal: AbortSignal.timeout(2_000) };
    const located = await other.locate('a', context);
    expect(located).toMatchObject([{ containerId: id, local: null }]);
    await other.kill(located[0]!, context);
    expect(await other.inspect(located[0]!, context)).toMatchObject({ state: 'dead' });
    expect(await other.locate('a', context)).toEqual([]);
    expect(await exists(on.docker, stranger)).toBe(true);
  });

  it('an agent that ended by itself: its container is asked to end, then removed', async () => {
    await w.admit('a');
    const polite = ['sh', '-c', `trap 'exit 0' TERM; sleep 0.3; exit 0`];
    const { containerId } = await w.runtime.sandbox(w.ks, { ...what, command: polite, agentId: 'a' });
    expect(await w.ks.completed('a')).toBe(false);
    await expect.poll(async () => (await w.ks.agent('a')).status, { timeout: 5_000 }).toBe('completed');
    await expect.poll(() => exists(on.docker, containerId)).toBe(false);
    expect(engine.requests.filter((line) => /^(DELETE|POST .*\/(kill|stop))/.test(line))).toEqual([
      expect.stringMatching(/^DELETE .*force=false/),
    ]);
  });
});

/** What the kernel holds the container to, as its cgroups (of either version) say it. */
function limitsOf(containerId: string): { memory: number; cpus: number; pids: number } {
  const [pid] = pidsOf(containerId);
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const pathOf = (name: string) =>
    lines.find((line) => line.split(':')[1]?.split(',').includes(name))?.split(':')[2];
  const read = (controller: string, v1: string, v2: string): string => {
    const path = pathOf(controller);
    const file = path === undefined ? `${pathOf('')}/${v2}` : `/${controller}${path}/${v1}`;
    return readFileSync(`/sys/fs/cgroup${file}`, 'utf8').trim();
  };
  const [quota, period = '100000'] = read('cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ');
  return {
    memory: Number(read('memory', 'memory.limit_in_bytes', 'memory.max')),
    cpus: Number(quota) / Number(period),
    pids: Number(read('pids', 'pids.max', 'pids.max')),
  };
}
