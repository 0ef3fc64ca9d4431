import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { removeCgroup } from '../src/cgroup.ts';
import { InvalidHandleError, type ProcessHandle, processRuntime } from '../src/index.ts';
import { inCgroup, isContained, mountHere, sleeper, startsAgents } from './support/contained.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { isAlive } from './support/processes.ts';

const start = startsAgents();
const runtime = processRuntime();
const leaveBehind = `(env -i A=1 setsid ${sleeper} &); sleep 0.1`;
const { own, point } = mountHere();
const source = new URL('../src/index.ts', import.meta.url).href;
const elsewhere = join(own, `killswitch-test-${process.pid}`);

/** Starts an agent of which only what escaped is left, which nothing but its cgroup tells of. */
async function startEscaped(agentId: string) {
  const started = await start(runtime, agentId, leaveBehind);
  while (isAlive(started.handle.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  return started;
}

describe.runIf(isContained)('an agent in a cgroup, on record with its handle', () => {
  afterEach(() => removeCgroup(join(point, elsewhere)));

  it('is seen and killed by a host that runs in another cgroup than the one that started it (I3, I6)', async () => {
    const { handle, noted } = await startEscaped(id('moved'));
    mkdirSync(join(point, elsewhere));
    await inCgroup(elsewhere, async () => {
      const other = processRuntime();
      expect(await other.inspect(handle, inTime(id('moved')))).toMatchObject({ state: 'alive' });
      expect(await other.locate(id('moved'), inTime(id('moved')))).toMatchObject([
        { pid: noted[0], cgroup: handle.cgroup },
      ]);
      expect(await stop(other, id('moved'), handle)).toMatchObject({ state: 'dead' });
      expect(noted.filter(isAlive)).toEqual([]);
      expect(await other.locate(id('moved'), inTime(id('moved')))).toEqual([]);
    });
  });

  it('is seen and killed by a host that itself holds agents by their marks', async () => {
    const { handle, noted } = await startEscaped(id('off'));
    const other = processRuntime({ cgroup: 'off' });
    expect(await other.inspect(handle, inTime(id('off')))).toMatchObject({ state: 'alive' });
    expect(await stop(other, id('off'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('is found by a host that has no handle of it', async () => {
    const { handle, noted } = await startEscaped(id('lost'));
    const [found] = await processRuntime().locate(id('lost'), inTime(id('lost')));
    expect(found).toMatchObject({ pid: noted[0], cgroup: handle.cgroup });
    expect(await stop(runtime, id('lost'), found!)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('is in doubt, not missing, to a host in a pid namespace that cannot see into its cgroup (I3)', async () => {
    const { handle } = await startEscaped(id('opaque'));
    const locate = `import { processRuntime } from ${JSON.stringify(source)};
      const signal = AbortSignal.timeout(5_000);
      console.log(await processRuntime().locate('${id('opaque')}', { agentId: '${id('opaque')}', signal }).catch(({ code }) => code));`;
    const node = [
      process.execPath,
      '--conditions=agent-killswitch-source',
      '--input-type=module',
      '-e',
      locate,
    ];
    const { stdout } = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', ...node], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('uncertain-victim');
    expect(await stop(runtime, id('opaque'), handle)).toMatchObject({ state: 'dead' });
  });

  it('shares one walk through all cgroups with others that are looked for', async () => {
    const { handle } = await startEscaped(id('walked'));
    const ids = Array.from({ length: 500 }, (_, index) => (index === 250 ? id('walked') : `nobody-${index}`));
    const found = await Promise.all(ids.map((id) => runtime.locate(id, inTime(id))));
    expect(found.flat()).toMatchObject([{ cgroup: handle.cgroup }]);
    expect(await stop(runtime, id('walked'), handle)).toMatchObject({ state: 'dead' });
  });

  it('is unknown, not dead, where its cgroup cannot be told (I3)', async () => {
    const { handle, noted } = await startEscaped(id('hidden'));
    const cgroup = handle.cgroup!;
    for (const unseen of [
      { ...cgroup, view: 'cgroup:[7] /' },
      { ...cgroup, inode: '7' },
    ]) {
      const hidden = { ...handle, cgroup: unseen };
      await runtime.kill(hidden, inTime(id('hidden')));
      expect(await runtime.inspect(hidden, inTime(id('hidden')))).toMatchObject({ state: 'unknown' });
    }
    expect(noted.filter(isAlive)).toEqual(noted);
    expect(await stop(runtime, id('hidden'), handle)).toMatchObject({ state: 'dead' });
  });

  it.each<[string, (path: string) => string]>([
    ["another agent's", (path) => path.replace(id('mine'), id('yours'))],
    ['the root', () => '/'],
    ['the one that holds all agents', (path) => path.replace(`/agent-${id('mine')}`, '')],
    ['one that is reached through dots', (path) => `/x/..${path}`],
    ['one with a dot', (path) => `/.${path}`],
    ['one with an empty name', (path) => `/${path}`],
    ['a relative one', (path) => path.slice(1)],
    ['one with more behind it', (path) => `${path}/sub`],
    ['one that ends like it', (path) => path.replace('agent-killswitch', 'not-agent-killswitch')],
  ])('is not killed by the cgroup that a forged handle names: %s', async (_, forge) => {
    const mine = await start(runtime, id('mine'), 'echo $$ >> "$PIDS"; exec sleep 300');
    const yours = await start(runtime, id('yours'), 'echo $$ >> "$PIDS"; exec sleep 300');
    const { cgroup } = mine.handle;
    const forged = { ...mine.handle, cgroup: { ...cgroup!, path: forge(cgroup!.path) } };
    await expect(runtime.kill(forged, inTime(id('mine')))).rejects.toThrow(InvalidHandleError);
    await expect(runtime.stop(forged, inTime(id('mine')))).rejects.toThrow(InvalidHandleError);
    expect(await runtime.inspect(forged, inTime(id('mine')))).toMatchObject({ state: 'unknown' });
    expect([...mine.noted, ...yours.noted].every(isAlive)).toBe(true);
    for (const [name, { handle }] of Object.entries({ mine, yours }))
      expect(await stop(runtime, id(name), handle)).toMatchObject({ state: 'dead' });
  });

  it('is not killed by a host that was started in it', async () => {
    const { handle, noted } = await start(runtime, id('outer'), `${sleeper} & wait`);
    const path = (handle as ProcessHandle).cgroup!.path;
    await inCgroup(path, async () => {
      const inner = processRuntime();
      await expect(inner.kill(handle, inTime(id('outer')))).rejects.toThrow('holds this very process');
      await expect(inner.stop(handle, inTime(id('outer')))).rejects.toThrow(InvalidHandleError);
      expect(await inner.inspect(handle, inTime(id('outer')))).toMatchObject({ state: 'alive' });
    });
    expect(noted.every(isAlive)).toBe(true);
    expect(await stop(runtime, id('outer'), handle)).toMatchObject({ state: 'dead' });
    expect(await settled(runtime, id('outer'), handle)).toMatchObject({ state: 'dead' });
    expect(existsSync(join(point, path))).toBe(false);
  });

  it('cannot have the killswitch or its ancestors killed by pulling them into its cgroup', async () => {
    const pull = `d=$CGROUPS$(sed -n 's/^0:://p' /proc/self/cgroup); for pid in ${process.pid} ${process.ppid}; do echo $pid > $d/cgroup.procs; done`;
    const { handle, noted } = await start(runtime, id('thief'), `${pull}; ${sleeper} & wait`);
    expect(cgroupOf(process.pid)).toBe(handle.cgroup?.path);
    expect(cgroupOf(process.ppid)).toBe(handle.cgroup?.path);
    expect(await stop(runtime, id('thief'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
    expect([cgroupOf(process.pid), cgroupOf(process.ppid)]).toEqual([own, own]);
  });
});

function cgroupOf(pid: number): string | undefined {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1];
}
