import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from './errors.ts';

/** A cgroup's folder is gone: the kernel removes none in which anything lives. */
const gone = new Set(['ENOENT', 'ENODEV']);

/** Sends SIGKILL to everything in the cgroup (v2) and below, at once. `false`: the kernel is older than 5.14 and cannot. */
export function killCgroup(folder: string): boolean {
  try {
    // Without creating it: a folder that is gone must not become a failure of another kind.
    writeFileSync(join(folder, 'cgroup.kill'), '1', { flag: 'r+' });
    return true;
  } catch (error) {
    if (!gone.has(systemCode(error) ?? '')) throw error;
    return !existsSync(join(folder, 'cgroup.procs'));
  }
}

/** Whether anything in the cgroup (v2) or below lives. */
export function populationOf(folder: string): 'living' | 'empty' | 'gone' {
  const events = readIfThere(join(folder, 'cgroup.events'));
  if (events === '') return 'gone';
  return /^populated 1$/m.test(events) ? 'living' : 'empty';
}

/** Who is in the cgroup and below, of either version. */
export function pidsIn(folder: string): number[] {
  const own = readIfThere(join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return [...own, ...foldersIn(folder).flatMap((below) => pidsIn(below))];
}

/** Freezes a cgroup of the v1 freezer: nothing in it runs, so nothing in it forks, until it is thawed. */
export function freeze(folder: string): void {
  writeIfThere(join(folder, 'freezer.state'), 'FROZEN');
}

/** Thaws a cgroup of the v1 freezer and every one below: a frozen process dies of its signal only then. */
export function thaw(folder: string): void {
  const file = join(folder, 'freezer.state');
  if (/^(FROZEN|FREEZING)/.test(readIfThere(file))) writeIfThere(file, 'THAWED');
  for (const below of foldersIn(folder)) thaw(below);
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch (error) {
    if (gone.has(systemCode(error) ?? '')) return [];
    throw error;
  }
}

/** Empty if the file is gone. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (gone.has(systemCode(error) ?? '')) return '';
    throw error;
  }
}

function writeIfThere(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'r+' });
  } catch (error) {
    if (!gone.has(systemCode(error) ?? '')) throw error;
  }
}
