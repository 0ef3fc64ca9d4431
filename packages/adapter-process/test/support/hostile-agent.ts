import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ProcessHandle, ProcessRuntime } from '../../src/index.ts';
import type { Plan } from '../hostile-plans.ts';
import type { TestRun } from './processes.ts';

export interface HostileAgent {
  readonly handle: ProcessHandle;
  /** Processes that are not the agent's, which must outlive it. */
  readonly bystanders: readonly number[];
}

const stdio = ['ignore', 'pipe', 'ignore'] as const;
/** When it counts as grown whatever it has written. */
const grownMs = 100;

/** Starts the agent and waits for its moment. */
export async function startHostile(
  { args, killAfterLines, deeds }: Plan,
  runtime: ProcessRuntime,
  agentId: string,
  { env }: TestRun,
): Promise<HostileAgent> {
  if (deeds.heldAsZombie !== undefined) return adoptHostile(args, killAfterLines, runtime, agentId, env);
  const { handle, child } = await runtime.spawnAgent('sh', args, { agentId, env, stdio: [...stdio] });
  await grown(child, killAfterLines);
  return { handle, bystanders: [] };
}

/** Its parent becomes a `sleep`, which reaps nobody. */
async function adoptHostile(
  args: readonly string[],
  lines: number,
  runtime: ProcessRuntime,
  agentId: string,
  env: Record<string, string>,
): Promise<HostileAgent> {
  // With the agent's mark, which the holder has not: without one, an adopted tree's orphans escape (README, limits).
  const script = 'AGENT_KILLSWITCH_AGENT_ID="$0" sh "$@" & echo "root $!"; exec sleep 300';
  const holder = spawn('sh', ['-c', script, agentId, ...args], { env, stdio: [...stdio], detached: true });
  const root = await grown(holder, lines, /^root (\d+)$/);
  if (holder.pid === undefined || root === undefined) throw new Error('the holder did not start');
  return { handle: await runtime.adopt(Number(root), { agentId }), bystanders: [holder.pid] };
}

/** Waits for so many lines, and for the one that is looked for, whose group it answers; otherwise for a while. */
function grown(child: ChildProcess, count: number, wanted?: RegExp): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (child.stdout === null) throw new Error('the child has no pipe');
    let lines = 0;
    let found: string | undefined;
    const end = (): void => {
      if (wanted !== undefined && found === undefined) return;
      clearTimeout(enough);
      resolve(found);
    };
    let late = false;
    const enough = setTimeout(() => {
      late = true;
      end();
    }, grownMs);
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        lines += 1;
        found ??= wanted?.exec(line)?.[1];
        if (lines >= count || late) end();
      })
      .on('close', () => resolve(found));
  });
}
