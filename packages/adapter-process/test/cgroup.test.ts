import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killMembers } from '../src/cgroup.ts';
import { processRuntime } from '../src/index.ts';
import { joinCgroup } from '../src/join-cgroup.ts';
import { isContained, mountHere, sleeper, startsAgents } from './support/contained.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { isAlive } from './support/processes.ts';

const start = startsAgents();
const runtime = processRuntime();
const byMark = processRuntime({ cgroup: 'off' });

const relay = `env -i PIDS="$PIDS" setsid sh -c '(setsid sh -c "echo \\$\\$ >> $PIDS; exec sleep 300" &)'`;
const escapes = {
  'drops its mark and founds a session': `(env -u AGENT_KILLSWITCH_AGENT_ID setsid ${sleeper} &); exec sleep 300`,
  'empties its environment and founds a session': `(env -i A=1 setsid ${sleeper} &); exec sleep 300`,
  'takes the mark of another agent': `(AGENT_KILLSWITCH_AGENT_ID=victim setsid ${sleeper} &); exec sleep 300`,
  'has no environment at all': `(env -i setsid -f ${sleeper}); exec sleep 300`,
  'is a relay that clears its environment at the first hop': `(${relay} &); exec sleep 300`,
  'escapes, whereupon its first process ends': `(env -i A=1 setsid ${sleeper} &); sleep 0.1`,
};

describe.runIf(isContained)('an agent in a cgroup', () => {
  it.each(Object.entries(escapes))('whose child %s is killed whole (I1, I3)', async (name, script) => {
    const agentId = id(`escape-${name.replace(/\W/g, '-')}`);
    const { handle, noted } = await start(runtime, agentId, script);
    expect(noted.filter(isAlive)).toEqual(noted);
    expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({ state: 'alive' });
    await runtime.kill(handle, inTime(agentId));
    expect(await settled(runtime, agentId, handle)).toEqual({
      state: 'dead',
      evidence: expect.stringMatching(`, its cgroup ${handle.cgroup?.path} (is empty|has been removed)$`),
    });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('is alive while a descendant lives, though its first process has ended', async () => {
    const { handle, noted } = await start(
      runtime,
      id('leaderless'),
      escapes['escapes, whereupon its first process ends'],
    );
    while (isAlive(handle.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await runtime.inspect(handle, inTime(id('leaderless')))).toEqual({
      state: 'alive',
      evidence: `pid ${noted[0]} alive in its cgroup ${handle.cgroup?.path}`,
    });
    expect(await stop(runtime, id('leaderless'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('dies with the cgroups that it made below its own', async () => {
    const nest = `sub="$CGROUPS$(sed -n 's/^0:://p' /proc/self/cgroup)/sub"; mkdir "$sub"`;
    const join = `(sh -c 'echo $$ > "$0/cgroup.procs"; exec env -i PIDS="$PIDS" setsid ${sleeper.replaceAll("'", `'\\''`)}' "$sub" &)`;
    const { handle, noted } = await start(runtime, id('nested'), `${nest}; ${join}; exec sleep 300`);
    process.kill(handle.pid, 'SIGKILL');
    expect(await runtime.inspect(handle, inTime(id('nested')))).toMatchObject({ state: 'alive' });
    expect(await stop(runtime, id('nested'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('loses all its members also where the kernel has no cgroup.kill', async () => {
    const script = `(env -i A=1 setsid ${sleeper} &); ${sleeper} & ${sleeper} & wait`;
    const { handle, noted } = await start(runtime, id('old-kernel'), script, 3);
    killMembers(join(mountHere().point, handle.cgroup!.path));
    expect(await settled(runtime, id('old-kernel'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('is asked to end by stop with all its members, wherever they hide', async () => {
    const { handle, noted } = await start(
      runtime,
      id('asked'),
      escapes['empties its environment and founds a session'],
    );
    await runtime.stop(handle, inTime(id('asked')));
    expect(await settled(runtime, id('asked'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual([]);
  });

  it('does not run where it cannot join', async () => {
    const missing = join(mountHere().point, mountHere().own, 'killswitch-test-missing');
    const ran = spawnSync(...joinCgroup(missing, 'echo', ['ran']), { encoding: 'utf8' });
    expect(ran.status).not.toBe(0);
    expect(ran.stdout).toBe('');
  });
});

describe('an agent held by its mark', () => {
  it('does not keep what escapes it, which is the documented limit of that mode', async () => {
    const { handle, noted } = await start(
      byMark,
      id('limit'),
      escapes['empties its environment and founds a session'],
    );
    expect(handle.cgroup).toBeUndefined();
    expect(await stop(byMark, id('limit'), handle)).toMatchObject({ state: 'dead' });
    expect(noted.filter(isAlive)).toEqual(noted);
  });
});

it('stop asks the whole tree to end, and leaves who does not want to', async () => {
  const politely = `trap 'exit 0' TERM; echo $$ >> "$PIDS"; while :; do sleep 1 & wait $!; done`;
  const polite = await start(runtime, id('polite'), politely);
  await runtime.stop(polite.handle, inTime(id('polite')));
  expect(await settled(runtime, id('polite'), polite.handle)).toMatchObject({ state: 'dead' });
  const stubbornly = `trap '' TERM; echo $$ >> "$PIDS"; while :; do sleep 1; done`;
  const stubborn = await start(runtime, id('stubborn'), stubbornly);
  await runtime.stop(stubborn.handle, inTime(id('stubborn')));
  expect(await runtime.inspect(stubborn.handle, inTime(id('stubborn')))).toMatchObject({ state: 'alive' });
  expect(await stop(runtime, id('stubborn'), stubborn.handle)).toMatchObject({ state: 'dead' });
});
