import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessHandle, processRuntime } from '@agent-killswitch/adapter-process';
import { createKillswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { median } from './compare.ts';
import type { Report } from './report.ts';

const agents = 1_000;
const rounds = 3;
/** Ignores what can be ignored, with a child: both in one process group, so that the baseline reaches them too. */
const agent = "trap '' TERM INT HUP; sleep 300 & wait";
const superAdmin: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

/** From the call of an emergency stop to the last death of its agents, against a bare loop that signals their groups. */
export default async function bench(report: Report): Promise<void> {
  const killswitch: Fall[] = [];
  const loop: Fall[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [byLoop, byKillswitch] = [await fall(round, killByLoop), await fall(round, killByKillswitch)];
    // The first round warms up.
    if (round > 0) {
      loop.push(byLoop);
      killswitch.push(byKillswitch);
    }
  }
  const baseline = median(loop.map(({ lastDeathMs }) => lastDeathMs));
  const figure = { unit: 'ms', baseline, n: agents };
  report({
    ...figure,
    metric: 'process.last-death',
    value: median(killswitch.map(({ lastDeathMs }) => lastDeathMs)),
    limit: 1.5,
  });
  report({
    ...figure,
    metric: 'process.settled',
    value: median(killswitch.map(({ settledMs }) => settledMs)),
  });
}

interface Fall {
  readonly lastDeathMs: number;
  readonly settledMs: number;
}

interface Victims {
  readonly killswitch: ReturnType<typeof createKillswitch>;
  readonly handles: readonly ProcessHandle[];
}

async function killByLoop({ handles }: Victims): Promise<void> {
  for (const { pid } of handles) process.kill(-pid, 'SIGKILL');
}

async function killByKillswitch({ killswitch }: Victims): Promise<void> {
  const { killed, settled } = await killswitch.emergencyStop({ principal: superAdmin, reason: 'bench' });
  if (killed !== agents || !settled) throw new Error(`Killed ${killed} of ${agents}, settled: ${settled}`);
}

/** Starts the agents, kills them one way, and answers when the last process of them was dead, as seen by another process. */
async function fall(round: number, kill: (victims: Victims) => Promise<void>): Promise<Fall> {
  const folder = mkdtempSync(join(tmpdir(), 'killswitch-bench-'));
  try {
    const fifo = join(folder, 'alive');
    spawnSync('mkfifo', [fifo]);
    const watcher = watch(fifo);
    const victims = await start(fifo, `${kill.name}-${round}`);
    const since = process.hrtime.bigint();
    await kill(victims);
    const settledMs = msSince(since, process.hrtime.bigint());
    const lastDeathMs = msSince(since, await watcher);
    await victims.killswitch.close();
    return { lastDeathMs, settledMs };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All agents share a pipe, whose end is read when the last one that holds it is dead. Costs no time until then. */
async function watch(fifo: string): Promise<bigint> {
  const code = `require('node:fs').readFileSync(${JSON.stringify(fifo)}); console.log(String(process.hrtime.bigint()))`;
  const watcher: ChildProcess = spawn(process.execPath, ['-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [end]: Buffer[] = await once(watcher.stdout as NodeJS.ReadableStream, 'data');
  return BigInt(String(end).trim());
}

async function start(fifo: string, label: string): Promise<Victims> {
  const processes = processRuntime();
  const killswitch = createKillswitch({
    hostId: 'bench',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { process: processes },
    // A busy machine makes it slow, not wrong: what is compared is time.
    deadlines: { forceAfter: 30_000, confirmWithin: 60_000 },
  });
  await killswitch.start();
  const held = openSync(fifo, 'w');
  const handles: ProcessHandle[] = [];
  for (let n = 0; n < agents; n += 1) {
    const agentId = `bench-${label}-${n}-${process.pid}`;
    await killswitch.admit({ agentId, taskId: `task-${n % 50}`, workspaceId: 'bench', ownerId: 'bench' });
    const { handle } = await processes.spawnAgent('sh', ['-c', agent], {
      agentId,
      stdio: ['ignore', held, 'ignore'],
    });
    await killswitch.running(agentId, [handle]);
    handles.push(handle);
  }
  closeSync(held);
  // Until all are what they are to be: a shell and its child.
  const complete = () => handles.every(({ pid }) => childOf(pid));
  while (!complete()) await new Promise((resolve) => setTimeout(resolve, 50));
  return { killswitch, handles };
}

function childOf(pid: number): boolean {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1') !== '';
}

function msSince(since: bigint, until: bigint): number {
  return Number(until - since) / 1e6;
}
