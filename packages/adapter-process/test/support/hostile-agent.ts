import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ProcessHandle, ProcessRuntime } from '../../src/index.ts';
import type { Plan } from '../hostile-plans.ts';
import type { TestRun } from './processes.ts';
import type { Corner } from './unmarked.ts';

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
  plan: Plan,
  runtime: ProcessRuntime,
  agentId: string,
  { env }: TestRun,
  corner: Corner,
): Promise<HostileAgent> {
  const { args, killAfterLines, adopted } = plan;
  if (adopted !== undefined) return adoptHostile({ ...plan, adopted }, runtime, agentId, env, corner);
  const { handle, child } = await runtime.spawnAgent('sh', args, { agentId, env, stdio: [...stdio] });
  await grown(child, killAfterLines);
  return { handle, bystanders: [] };
}

/** Its parent becomes a `sleep`, which reaps nobody. It waits for a word before it does anything. */
async function adoptHostile(
  { args, killAfterLines, adopted }: Plan & Pick<Required<Plan>, 'adopted'>,
  runtime: ProcessRuntime,
  agentId: string,
  env: Record<string, string>,
  corner: Corner,
): Promise<HostileAgent> {
  const wait = `sh -c 'read go <&3; exec 3<&-; exec sh "$@"' - "$@" & echo "root $!"`;
  const script = `${corner.enter}; exec 3<&0; ${wait}; exec sleep 300`;
  const holder = spawn('sh', ['-c', script, '-', ...args], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const root = await grown(holder, 1, /^root (\d+)$/);
  if (holder.pid === undefined || root === undefined) throw new Error('the holder did not start');
  const adopt = (): Promise<ProcessHandle> => runtime.adopt(Number(root), { agentId });
  const early = adopted === 'adoptedAtStart' ? await adopt() : undefined;
  holder.stdin.write('go\n');
  await grown(holder, killAfterLines);
  return { handle: early ?? (await adopt()), bystanders: [holder.pid] };
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
