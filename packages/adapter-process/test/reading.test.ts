import { spawn as spawnPlain } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { MarkReader } from '../src/mark-reader.ts';
import { readStat } from '../src/proc.ts';
import { Scanner } from '../src/scanner.ts';
import { killGroup, killProcess } from '../src/signal.ts';
import { isAlive, pids, startTimeOf, TestRun } from './support/processes.ts';

const run = new TestRun();
afterEach(() => run.end());

/** A detached process outside the runtime, that prints a line when it is up. */
async function start(script: string) {
  const child = spawnPlain('sh', ['-c', script], {
    detached: true,
    env: run.env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await pids(child, 1);
  return { child, stat: readStat(child.pid!)! };
}

describe('a signal', () => {
  it("goes to nobody if the pid is of another time, and if the group is not the witness's", async () => {
    const { child, stat } = await start('echo 1; exec sleep 300');
    const seen = { ...stat, agentId: undefined, unread: false };
    expect(stat.startTime).toBe(startTimeOf(child.pid!));
    for (const startTime of [stat.startTime + 1, stat.startTime - 1]) {
      expect(killProcess({ ...seen, startTime })).toBe('gone');
      expect(killGroup(stat.pgrp, { ...seen, startTime })).toBe('gone');
    }
    expect(killGroup(stat.pgrp + 1, seen)).toBe('gone');
    expect(isAlive(child.pid!)).toBe(true);
    const exited = once(child, 'exit');
    expect(killProcess(seen)).toBe('signalled');
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(killProcess(seen)).toBe('gone');
    expect(killGroup(stat.pgrp, seen)).toBe('gone');
  });
});

describe('reading marks', () => {
  it('asks again after an exec, and only then', async () => {
    const script = 'echo 1; read go; exec env AGENT_KILLSWITCH_AGENT_ID=late sh -c "echo 2; exec sleep 300"';
    const { child, stat } = await start(script);
    const reader = new MarkReader();
    expect((await reader.read([stat])).get(stat.pid)).toEqual({ agentId: undefined });
    expect((await reader.read([stat])).get(stat.pid)).toEqual({ agentId: undefined });
    const up = once(child.stdout!, 'data');
    child.stdin!.write('\n');
    child.stdout!.resume();
    await up;
    const later = readStat(stat.pid)!;
    expect(later.startTime).toBe(stat.startTime);
    expect((await reader.read([later])).get(stat.pid)).toEqual({ agentId: 'late' });
  });

  it('does not take what ended before it could be asked for unmarked (I3)', async () => {
    const { child, stat } = await start('echo 1; exec sleep 300');
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    expect((await new MarkReader().read([stat])).get(stat.pid)).toBe('unread');
  });

  it('finds a mark behind 200 KB of other variables', async () => {
    const filler = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`FILLER_${n}`, 'x'.repeat(10_000)]),
    );
    const child = spawnPlain('sleep', ['300'], {
      env: { ...run.env, ...filler, AGENT_KILLSWITCH_AGENT_ID: 'behind' },
      stdio: 'ignore',
    });
    const stat = readStat(child.pid!)!;
    expect((await new MarkReader().read([stat])).get(stat.pid)).toEqual({ agentId: 'behind' });
  });
});

it('a scan sees this process, its ancestors and its children, and no kernel thread', async () => {
  const { stat } = await start('echo 1; exec sleep 300');
  const snapshot = await new Scanner().scan();
  expect(snapshot.find(stat.pid, stat.startTime)).toMatchObject({
    ppid: process.pid,
    alive: true,
    unread: false,
  });
  expect([...snapshot.guarded]).toEqual(expect.arrayContaining([0, 1, process.pid, process.ppid]));
  expect(snapshot.get(2)?.kernelThread ?? false).toBe(false);
});

it('most scans see all there is also beside processes that come and go all the time', async () => {
  await Promise.all([1, 2, 3, 4, 5, 6].map(() => start('echo 1; while :; do /bin/true & /bin/true; done')));
  const scanner = new Scanner();
  let clear = 0;
  for (let scans = 0; scans < 20; scans += 1) if ((await scanner.scan()).missed === 0) clear += 1;
  expect(clear).toBeGreaterThanOrEqual(18);
});
