import { readFileSync } from 'node:fs';
import { systemCode } from './errors.ts';

/** A process as `/proc` shows it. */
export interface ProcessStat {
  /** Field 22: when it started, in clock ticks since boot. With the pid it names a process for good. */
  readonly startTime: number;
  /** A zombie is not, unless other threads of it run. */
  readonly alive: boolean;
}

/**
 * The process as it is now; `undefined` if there is none with this pid. Synchronous: the kernel answers from memory.
 * @throws the system's error if `/proc` cannot be read.
 */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  // The command stands in brackets and may hold anything, brackets included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = Number(fields[19]);
  const threads = Number(fields[17]);
  if (!Number.isSafeInteger(startTime)) return undefined;
  const isZombie = fields[0] === 'Z' || fields[0] === 'X';
  return { startTime, alive: !isZombie || threads > 1 };
}

/** The process's lines in `/proc/<pid>/cgroup`; `undefined` if there is none with this pid. */
export function readCgroups(pid: number | 'self'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '');
}
