import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';
import { type CgroupMount, cgroupMount } from '../../src/cgroup-mount.ts';
import { type ProcessHandle, type ProcessRuntime, processRuntime } from '../../src/index.ts';
import { isAlive, TestRun } from './processes.ts';

/** Whether agents can be held in cgroups by this user on this machine. */
export const isContained: boolean = processRuntime().containment === 'cgroup';
if (!isContained)
  console.warn('SKIPPED: tests of agents in cgroups: this user may not make cgroups (v2) here');

/** Writes its pid to $PIDS and stays. */
export const sleeper = `sh -c 'echo $$ >> "$0"; exec sleep 300' "$PIDS"`;

export interface Started {
  readonly handle: ProcessHandle;
  /** The pids that the script wrote to $PIDS, noted before anything is killed. */
  readonly noted: readonly number[];
}

/** Starts agents whose scripts write the pids that matter to $PIDS. What a failed test leaves of them is ended. */
export function startsAgents(): (
  runtime: ProcessRuntime,
  agentId: string,
  script: string,
  count?: number,
) => Promise<Started> {
  let folder = '';
  let run = new TestRun();
  const seen: number[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'killswitch-cgroup-'));
    run = new TestRun();
  });
  afterEach(() => {
    run.end();
    for (const pid of seen.splice(0).filter(isSleeper)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let files = 0;
  return async (runtime, agentId, script, count = 1) => {
    files += 1;
    const file = join(folder, `pids-${files}`);
    writeFileSync(file, '');
    const env = { ...run.env, PIDS: file, CGROUPS: mountHere().point };
    const { handle } = await runtime.spawnAgent('sh', ['-c', script], { agentId, env });
    for (const end = performance.now() + 5_000; ; ) {
      const noted = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
      if (noted.length >= count) {
        seen.push(...noted);
        return { handle, noted };
      }
      if (performance.now() > end) throw new Error(`the script noted ${noted.length} of ${count} pids`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
}

/** So that no other process is ended that has its pid by now. */
function isSleeper(pid: number): boolean {
  return isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1') === 'sleep\u0000300\u0000';
}

export function mountHere(): CgroupMount {
  return cgroupMount() ?? { point: '', root: '/', view: '', own: '/' };
}

/** Moves this very process into a cgroup while `work` runs. */
export async function inCgroup<T>(path: string, work: () => Promise<T>): Promise<T> {
  const { point, own } = mountHere();
  const move = (to: string): void => writeFileSync(join(point, to, 'cgroup.procs'), String(process.pid));
  move(path);
  try {
    // What was asked before in this moment shares its answer.
    await nextTurn();
    return await work();
  } finally {
    move(own);
  }
}
