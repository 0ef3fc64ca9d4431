import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProcessHandle, processRuntime } from '../src/index.ts';
import { inTime, settled, stop } from './support/harness.ts';

const runtime = processRuntime();
const isContained = runtime.containment === 'cgroup';
if (!isContained)
  console.warn('SKIPPED: tests of agents in cgroups: this user may not make cgroups (v2) here');

let folder: string;
let pidFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killswitch-cgroup-'));
  pidFile = join(folder, 'pids');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts `sh -c script`, which writes the pids of its escapees to $PIDS, and waits until `count` of them are there. */
async function start(
  agentId: string,
  script: string,
  count: number,
): Promise<{ handle: ProcessHandle; escaped: number[] }> {
  const { handle } = await runtime.spawnAgent('sh', ['-c', script], {
    agentId,
    env: { PATH: process.env.PATH, PIDS: pidFile },
  });
  for (;;) {
    try {
      const escaped = readFileSync(pidFile, 'utf8').split('\n').filter(Boolean).map(Number);
      if (escaped.length >= count) return { handle, escaped };
    } catch {
      // Not written yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

const sleeper = `sh -c 'echo $$ >> "$0"; exec sleep 60' "$PIDS"`;
const escapes = {
  'drops its mark and founds a session': `(env -u AGENT_KILLSWITCH_AGENT_ID setsid ${sleeper} &); exec sleep 60`,
  'empties its environment and founds a session': `(env -i A=1 setsid ${sleeper} &); exec sleep 60`,
  'takes the mark of another agent': `(AGENT_KILLSWITCH_AGENT_ID=victim setsid ${sleeper} &); exec sleep 60`,
  'has no environment at all': `(env -i setsid -f ${sleeper}); exec sleep 60`,
  'escapes, and its first process ends': `(env -i A=1 setsid ${sleeper} &); sleep 0.2`,
};

describe.runIf(isContained)('an agent in a cgroup', () => {
  it.each(Object.entries(escapes))('whose child %s is killed whole (I1, I3)', async (name, script) => {
    const agentId = `escape-${name.replace(/\W/g, '-')}`;
    const { handle, escaped } = await start(agentId, script, 1);
    expect(escaped.filter(isAlive)).toEqual(escaped);
    expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({ state: 'alive' });
    const seen = await stop(runtime, agentId, handle);
    expect(seen).toMatchObject({ state: 'dead', evidence: expect.stringContaining('its cgroup is empty') });
    expect(escaped.filter(isAlive)).toEqual([]);
  });

  it('is killed by another host that has only its handle, and found by one that has none', async () => {
    const { handle, escaped } = await start(
      'orphaned',
      escapes['empties its environment and founds a session'],
      1,
    );
    process.kill(handle.pid, 'SIGKILL');
    const other = processRuntime();
    const located = await other.locate('orphaned', inTime('orphaned'));
    expect(located).toMatchObject([{ pid: escaped[0], contained: true }]);
    expect(await stop(other, 'orphaned', handle)).toMatchObject({ state: 'dead' });
    expect(escaped.filter(isAlive)).toEqual([]);
    expect(await other.locate('orphaned', inTime('orphaned'))).toEqual([]);
  });

  it('is confirmed dead although strangers come that cannot be told from its processes (I5)', async () => {
    const { handle } = await start('clear', `echo $$ > "$PIDS"; exec sleep 60`, 1);
    const stranger = await processRuntime({ cgroup: 'off' }).spawnAgent(
      'env',
      ['-i', 'setsid', 'sleep', '60'],
      { agentId: 'stranger' },
    );
    expect(await stop(runtime, 'clear', handle)).toMatchObject({ state: 'dead' });
    stranger.child.kill('SIGKILL');
    await stranger.exited;
  });

  it('does not run where it cannot be contained, and an id is free again after its death', async () => {
    const { handle } = await start('again', `echo $$ > "$PIDS"; exec sleep 60`, 1);
    await expect(runtime.spawnAgent('sleep', ['60'], { agentId: 'again' })).rejects.toMatchObject({
      code: 'spawn-failed',
    });
    expect(await stop(runtime, 'again', handle)).toMatchObject({ state: 'dead' });
    const second = await runtime.spawnAgent('sleep', ['60'], { agentId: 'again' });
    expect(await stop(runtime, 'again', second.handle)).toMatchObject({ state: 'dead' });
  });
});

it('stop asks the whole tree to end, and leaves who does not want to', async () => {
  const polite = await start(
    'polite',
    `trap 'exit 0' TERM; echo $$ > "$PIDS"; while :; do sleep 1 & wait $!; done`,
    1,
  );
  await runtime.stop(polite.handle, inTime('polite'));
  expect(await settled(runtime, 'polite', polite.handle)).toMatchObject({ state: 'dead' });
  rmSync(pidFile);
  const stubborn = await start('stubborn', `trap '' TERM; echo $$ > "$PIDS"; while :; do sleep 1; done`, 1);
  await runtime.stop(stubborn.handle, inTime('stubborn'));
  expect(await runtime.inspect(stubborn.handle, inTime('stubborn'))).toMatchObject({ state: 'alive' });
  expect(await stop(runtime, 'stubborn', stubborn.handle)).toMatchObject({ state: 'dead' });
});

it.runIf(isContained)('a runtime can be made while others make and remove cgroups', async () => {
  const { handle } = await start('churn', `echo $$ > "$PIDS"; exec sleep 60`, 1);
  const churn = Array.from({ length: 30 }, async (_, i) => {
    const agent = await runtime.spawnAgent('true', [], { agentId: `churn-${i}` });
    await agent.exited;
    await runtime.inspect(agent.handle, inTime(`churn-${i}`));
  });
  for (let i = 0; i < 200; i++) {
    expect(processRuntime().containment).toBe('cgroup');
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(churn);
  expect(await stop(runtime, 'churn', handle)).toMatchObject({ state: 'dead' });
});
