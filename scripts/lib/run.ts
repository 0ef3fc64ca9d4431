import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the command's stdin; default: an empty stdin. */
  readonly input?: string;
  /** The command's group is killed after it; default 60 s. */
  readonly deadlineMs?: number;
}

export interface Ran {
  /** `null` if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command could not be started, failed or was late. */
export class CommandError extends Error {
  constructor(command: string, args: readonly string[], why: string) {
    super(`${[command, ...args].join(' ').slice(0, 200)}: ${why}`);
    this.name = 'CommandError';
  }
}

/**
 * Runs a command to its end and keeps what it says.
 * @throws CommandError if it cannot be started or is late; its exit code is the caller's to judge.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env, input = '', deadlineMs = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd && { cwd }),
      ...(env && { env }),
      stdio: 'pipe',
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
    }, deadlineMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new CommandError(command, args, error.message));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (late) reject(new CommandError(command, args, `not done after ${deadlineMs} ms`));
      else resolve({ code, stdout, stderr });
    });
  });
}

/** Like {@link run}, for a command that has to succeed: answers its stdout. */
export async function must(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code === 0) return stdout;
  throw new CommandError(
    command,
    args,
    `exit code ${code}: ${(stderr.trim() || stdout.trim()).slice(-2_000)}`,
  );
}

/** Sends a signal to a whole process group; one that is gone already is fine. Answers whether anybody got it. */
export function killGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
