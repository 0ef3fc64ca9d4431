import { existsSync } from 'node:fs';
import { describeError, type Observation } from '@agent-killswitch/core';
import { isPopulated, pidsIn } from './cgroup.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';
import { isFirstAlive } from './first-process.ts';
import type { Local } from './handle.ts';
import { readStat } from './process-stat.ts';

const named = 5;

/** Whether anything of the container lives, seen in its cgroup and in `/proc`. `local` is of this boot and these namespaces. */
export function lookHere(containerId: string, local: Local, mounts: CgroupMounts): Observation {
  const path = local.cgroup ?? local.freezer ?? '';
  const folder = local.cgroup === null ? mounts.freezer(path) : mounts.unified(path);
  const point = local.cgroup === null ? mounts.freezerPoint : mounts.unifiedPoint;
  // Without its hierarchy a missing cgroup means nothing.
  if (folder === undefined || !existsSync(`${point}/cgroup.procs`))
    return { state: 'unknown', evidence: `cgroup ${path} cannot be seen from here` };
  try {
    const isPeopled = local.cgroup === null ? livingIn(folder).length > 0 : isPopulated(folder);
    if (isPeopled) return { state: 'alive', evidence: `${who(livingIn(folder))} alive in cgroup ${path}` };
    if (isFirstAlive(containerId, local))
      return { state: 'alive', evidence: `pid ${local.pid} alive, outside of its cgroup ${path}` };
    const is = existsSync(folder) ? 'empty' : 'gone';
    return { state: 'dead', evidence: `cgroup ${path} is ${is}, pid ${local.pid} has ended` };
  } catch (error) {
    return { state: 'unknown', evidence: `cgroup ${path} cannot be read: ${describeError(error)}` };
  }
}

/** Version 1 lists zombies too. */
function livingIn(folder: string): number[] {
  return pidsIn(folder).filter((pid) => readStat(pid)?.alive);
}

function who(pids: readonly number[]): string {
  return pids.length === 0 ? 'something' : `pid ${pids.slice(0, named).join(', ')}`;
}
