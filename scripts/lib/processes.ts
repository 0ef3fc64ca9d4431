import { readdirSync, readFileSync } from 'node:fs';

/** What tells one process from a later one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since boot, field 22 of `/proc/<pid>/stat`. */
  readonly startTime: string;
}

export function identify(pid: number): ProcessIdentity | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[19] === undefined) return undefined;
  return { pid, startTime: fields[19] };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Every process but this one for which `matches` holds. Empty where there is no `/proc`. */
export function findProcesses(matches: (pid: number) => boolean): ProcessIdentity[] {
  let entries: string[] = [];
  try {
    entries = readdirSync('/proc');
  } catch {
    return [];
  }
  return entries
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && matches(pid))
    .flatMap((pid) => identify(pid) ?? []);
}

/** Whether the process was started with this environment variable set to this value, as its descendants then are. */
export function hasVariable(pid: number, name: string, value: string): boolean {
  return read(`/proc/${pid}/environ`)?.split('\0').includes(`${name}=${value}`) ?? false;
}

/** Whether the process lives on this folder: names it in its command line, or has its root file system in it. */
export function livesOn(pid: number, folder: string): boolean {
  if (read(`/proc/${pid}/cmdline`)?.includes(folder)) return true;
  const rootMount = read(`/proc/${pid}/mountinfo`)
    ?.split('\n')
    .find((line) => line.split(' ')[4] === '/');
  return rootMount?.includes(folder) ?? false;
}

/** Kills what `matches` until nothing is left of it, looking again for newcomers. Answers who was found. */
export async function killAll(
  matches: (pid: number) => boolean,
  deadlineMs: number,
): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const alive = findProcesses(matches);
    if (alive.length === 0) return found;
    for (const identity of alive) {
      if (!found.some((known) => known.pid === identity.pid)) found.push(identity);
      if (isAlive(identity)) signal(identity.pid);
    }
    if (Date.now() > deadline) {
      throw new Error(
        `Still alive ${deadlineMs} ms after SIGKILL: ${alive.map(({ pid }) => pid).join(', ')}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() ?? '';
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
