import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { removeCgroup } from '../../src/cgroup.ts';
import { isContained, mountHere } from './contained.ts';
import { isAlive, type TestRun } from './processes.ts';

/** A process that nobody's killswitch started, and that does what it is told on its standard input. */
export interface Unmarked {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Says a word to it and answers the pid that it prints then. */
  ask(word: string): Promise<number>;
}

/** In a session of its own, which it has no part in: an orphan for whom nothing speaks. */
const lost = `(env -i TEST_RUN=$TEST_RUN setsid sh -c 'echo $$; exec sleep 300 >/dev/null' &)`;
const loser = `echo $$; while read word; do case $word in
  lost) ${lost} ;;
  marked) (AGENT_KILLSWITCH_AGENT_ID=$OTHER setsid sh -c 'echo $$; exec sleep 300 >/dev/null' &) ;;
  child) setsid sh -c 'echo $$; exec sleep 300 >/dev/null' & ;;
esac; done`;

const cloneCall = new Map([
  ['x64', 56],
  ['arm64', 220],
]).get(process.arch);
export const canClone: boolean = cloneCall !== undefined && spawnSync('perl', ['-e', '']).status === 0;
/**
 * Prints its pid; then a child of its own, to which it gave its parent as parent (CLONE_PARENT), prints that child's, once it is in
 * a session of its own: before, it is told by that.
 */
export const sibling = `echo $$; exec perl -e '
  use POSIX;
  my $pid = syscall(${cloneCall}, 0x8000 | 17, 0, 0, 0, 0);
  if ($pid == 0) { POSIX::setsid(); exec "sh", "-c", "echo \\$\\$; exec sleep 300 >/dev/null" }
  sleep 300;'`;

/**
 * Where a test's processes are, so that no others of the machine can be taken for theirs: a cgroup of its own, if this user may
 * make one.
 */
export class Corner {
  readonly path: string = `${mountHere().own === '/' ? '' : mountHere().own}/killswitch-test-${process.pid}`;
  readonly folder: string = join(mountHere().point, this.path);

  constructor() {
    if (isContained) mkdirSync(this.folder, { recursive: true });
  }

  /** What a shell has to do to be here. */
  get enter(): string {
    return enterAt(this.folder);
  }

  /** Below it, or itself. */
  sub(name = ''): string {
    if (isContained) mkdirSync(join(this.folder, name), { recursive: true });
    return join(this.folder, name);
  }

  /** @param options.as a command that starts it as another user */
  async start(
    run: TestRun,
    {
      folder = this.folder,
      script = loser,
      env = {},
      as = [],
    }: { folder?: string; script?: string; env?: Record<string, string>; as?: readonly string[] } = {},
  ): Promise<Unmarked> {
    const enter = enterAt(folder);
    const child = spawn('sh', ['-c', `${enter}; exec "$@"`, 'sh', ...as, 'sh', '-c', script], {
      detached: true,
      env: { ...run.env, ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<number> => Number((await lines.next()).value);
    return {
      child,
      pid: await next(),
      async ask(word) {
        child.stdin.write(`${word}\n`);
        return next();
      },
    };
  }

  close(): void {
    if (isContained) removeCgroup(this.folder);
  }
}

function enterAt(folder: string): string {
  return isContained ? `echo $$ > ${folder}/cgroup.procs || exit 1` : ':';
}

/** Ends one process and waits until it is gone. */
export async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 2));
}
