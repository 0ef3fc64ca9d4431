import { existsSync } from 'node:fs';
import { describeError, type Observation } from '@agent-killswitch/core';
import { pidsIn, populationOf } from './cgroup.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';
import { isFirstAlive } from './first-process.ts';
import type { Local } from './handle.ts';
import { readStat } from './process-stat.ts';

const named = 5;

/** Whether anything of the container lives, seen in its cgroup and in `/proc`. `local` is of this boot and these namespaces. */
export function lookHere(containerId: string, local: Local, mounts: CgroupMounts): Observation {
  const isUnified = local.cgroup !== null;
  const path = local.cgroup ?? local.freezer ?? '';
  const folder = isUnified ? mounts.unified(path) : mounts.freezer(path);
  const point = isUnified ? mounts.unifiedPoint : mounts.freezerPoint;
  try {
    const population =
      folder === undefined ? 'gone' : isUnified ? populationOf(folder) : populationOfV1(folder);
    // Without its hierarchy a missing cgroup means nothing.
    if (folder === undefined || (population === 'gone' && !existsSync(`${point}/cgroup.procs`)))
      return { state: 'unknown', evidence: `cgroup ${path} cannot be seen from here` };
    if (population === 'living')
      return { state: 'alive', evidence: `${who(folder)} alive in cgroup ${path}` };
    if (isFirstAlive(containerId, local))
      return { state: 'alive', evidence: `pid ${local.pid} alive, outside of its cgroup ${path}` };
    return { state: 'dead', evidence: evidenceOfDeath(local, population) };
  } catch (error) {
    return { state: 'unknown', evidence: `cgroup ${path} cannot be read: ${describeError(error)}` };
  }
}

/** Death as it stands on the record. */
export function evidenceOfDeath({ cgroup, freezer, pid }: Local, population: 'empty' | 'gone'): string {
  return `cgroup ${cgroup ?? freezer} is ${population}, pid ${pid} has ended`;
}

function populationOfV1(folder: string): 'living' | 'empty' | 'gone' {
  if (livingIn(folder).length > 0) return 'living';
  return existsSync(folder) ? 'empty' : 'gone';
}

/** Version 1 lists zombies too. */
function livingIn(folder: string): number[] {
  return pidsIn(folder).filter((pid) => readStat(pid)?.alive);
}

function who(folder: string): string {
  const pids = livingIn(folder);
  return pids.length === 0 ? 'something' : `pid ${pids.slice(0, named).join(', ')}`;
}
