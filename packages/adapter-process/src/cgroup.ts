import { readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from './errors.ts';
import { readStat } from './proc.ts';
import type { ProcessStat } from './process-stat.ts';
import { killProcess } from './signal.ts';

/** Times that the members are listed and signalled one by one, where the kernel cannot do it at once. */
const volleys = 20;

/**
 * Sends SIGKILL to everything in the cgroup and below at once, forks under way included.
 * @throws the system's error if it is not allowed to
 */
export function killCgroup(folder: string): void {
  try {
    // Never creates the file: a missing one has to be told from one that may not be written.
    writeFileSync(join(folder, 'cgroup.kill'), '1', { flag: 'r+' });
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
    // Gone itself, which leaves nobody, or a kernel before 5.14.
    killMembers(folder);
  }
}

/** The same one by one, until a listing shows nobody new. What forks faster is left to the next call. */
export function killMembers(folder: string): void {
  const signalled = new Set<string>();
  for (let volley = 0; volley < volleys; volley += 1) {
    const fresh = membersOf(folder).filter(({ pid, startTime }) => !signalled.has(`${pid} ${startTime}`));
    if (fresh.length === 0) return;
    for (const member of fresh) {
      signalled.add(`${member.pid} ${member.startTime}`);
      killProcess(member);
    }
  }
}

/**
 * Whether anything in the cgroup or below lives. One that is gone is empty: the kernel removes none that is not.
 * @throws the system's error if it cannot be read
 */
export function isPopulated(folder: string): boolean {
  try {
    return !/^populated 0$/m.test(readFileSync(join(folder, 'cgroup.events'), 'latin1'));
  } catch (thrown) {
    if (isGone(thrown)) return false;
    throw thrown;
  }
}

/**
 * Who lives in the cgroup and below, as far as it can be seen from this pid namespace. Each was in it before and after it
 * was looked at, so that no process with a pid given out anew is among them.
 */
export function membersOf(folder: string): ProcessStat[] {
  const before = pidsIn(folder).filter(isOther);
  const stats = before.flatMap((pid) => readStat(pid) ?? []).filter(({ alive }) => alive);
  const after = new Set(pidsIn(folder));
  return stats.filter(({ pid }) => after.has(pid));
}

/** Removes an empty cgroup with what is below it; leaves any other as it is. Returns whether it is gone. */
export function removeCgroup(folder: string): boolean {
  try {
    if (isPopulated(folder)) return false;
    for (const name of subgroups(folder)) removeCgroup(join(folder, name));
    rmdirSync(folder);
    return true;
  } catch (thrown) {
    return isGone(thrown);
  }
}

/** The same, unless another has its path by now: one made for the next agent is empty too, for a moment. */
export function removeHome(folder: string, inode: string): boolean {
  try {
    if (statSync(folder, { bigint: true }).ino.toString() !== inode) return true;
    return removeCgroup(folder);
  } catch (thrown) {
    return isGone(thrown);
  }
}

/** The names of the cgroups directly below. @throws the system's error */
export function subgroups(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Neither this very process nor pid 1. */
function isOther(pid: number): boolean {
  return pid > 1 && pid !== process.pid;
}

/**
 * All pids in the cgroup and below. The kernel says 0 for processes of pid namespaces that cannot be seen from here, which are
 * left out: to `kill` that is one's own group.
 */
export function pidsIn(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, 'cgroup.procs'), 'latin1').split('\n').map(Number);
    const nested = subgroups(folder).flatMap((name) => pidsIn(join(folder, name)));
    return [...own.filter((pid) => pid > 0), ...nested];
  } catch (thrown) {
    if (isGone(thrown)) return [];
    throw thrown;
  }
}

/** ENODEV: it was removed while it was open. */
function isGone(thrown: unknown): boolean {
  return ['ENOENT', 'ENODEV'].includes(systemCode(thrown) ?? '');
}
