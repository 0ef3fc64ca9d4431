import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A script of this directory run on source in a process of its own. */
export interface Child {
  readonly process: ChildProcess;
  /** The lines it wrote, one after the other. */
  readonly lines: AsyncIterableIterator<string>;
  /** Its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Sends a line to its standard input. */
  say(line: string): void;
}

export function startChild(
  script: string,
  args: readonly string[],
  options: { readonly prefix?: readonly string[]; readonly node?: readonly string[] } = {},
): Child {
  const node = [process.execPath, '--conditions=agent-killswitch-source', ...(options.node ?? [])];
  const [command = '', ...rest] = [
    ...(options.prefix ?? []),
    ...node,
    join(import.meta.dirname, script),
    ...args,
  ];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return {
    process: child,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    ended,
    say: (line) => child.stdin.write(`${line}\n`),
  };
}

/** The next line it writes. */
export async function nextLine(child: Child): Promise<string> {
  const { value, done } = await child.lines.next();
  if (done === true) throw new Error(`the child ended (${await child.ended}) before its next line`);
  return value;
}
