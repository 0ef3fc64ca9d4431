import { randomUUID } from 'node:crypto';
import { commandLine, hasVariable, killAll } from '../lib/processes.ts';
import { runChild } from '../setup/child.mjs';

const marker = 'AGENT_KILLSWITCH_RUN';

/** How long the command may take to end after a signal. */
const graceMs = 15_000;

/**
 * Runs a command to its end, then kills whatever it started and left running, in other process groups too: descendants
 * are known by a variable in their environment. Each of them is named on stderr.
 */
export async function runAndSweep(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const id = randomUUID();
  const end = await runChild(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    graceMs,
    env: { ...process.env, ...env, [marker]: id },
  });
  const seen = new Map<number, string>();
  await killAll((pid) => {
    const left = hasVariable(pid, marker, id);
    if (left && !seen.has(pid)) seen.set(pid, commandLine(pid));
    return left;
  }, 10_000);
  for (const [pid, line] of seen)
    process.stderr.write(`left running and killed: ${pid} ${line.slice(0, 200)}\n`);
  return end;
}
