import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { ProcUnreadableError, systemCode } from './errors.ts';
import { type ProcessStat, parseStat } from './process-stat.ts';

/** A stat line has 52 numbers of at most 20 digits and a command of at most 64 bytes. */
const buffer = Buffer.allocUnsafe(4_096);

/**
 * The process as it is now; `undefined` if there is none with this pid. Synchronous on purpose: the kernel answers from
 * memory without waiting for the process, in about 12 µs.
 * @throws ProcUnreadableError
 */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    const file = openSync(`/proc/${pid}/stat`, 'r');
    try {
      return parseStat(buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, null)));
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    return undefinedIfGone(thrown, `/proc/${pid}/stat`);
  }
}

/** @throws ProcUnreadableError */
export function listPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
  } catch (cause) {
    throw new ProcUnreadableError('/proc cannot be listed', { cause });
  }
}

/** The user to whom the kernel accounts the process: root for one that hides its memory. `undefined` if it is gone. */
export function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch (thrown) {
    return undefinedIfGone(thrown, `/proc/${pid}`);
  }
}

/** Whether the kernel knows of a process with this pid that it may not show in `/proc` to this user. */
export function mayExist(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCode(thrown) !== 'ESRCH';
  }
}

/** EACCES and EPERM: `/proc` is mounted so that other users' processes are hidden. */
const goneOrHidden = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

function undefinedIfGone(thrown: unknown, path: string): undefined {
  if (goneOrHidden.has(systemCode(thrown) ?? '')) return undefined;
  throw new ProcUnreadableError(`${path} cannot be read: ${systemCode(thrown) ?? 'unknown error'}`, {
    cause: thrown,
  });
}
