import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pidsIn } from './cgroup.ts';
import type { CgroupMount } from './cgroup-mount.ts';
import { readStat } from './proc.ts';

/**
 * Moves this process and its ancestors out of an agent's cgroup, to where this process belongs. Whoever may write to the
 * cgroup file system can pull them in, so that a kill by cgroup would end the killswitch itself.
 * @returns whether any was in it
 * @throws the system's error if they cannot be moved
 */
export function stepOut(folder: string, belongs: CgroupMount): boolean {
  const inside = new Set(pidsIn(folder));
  const ours = lineage().filter((pid) => inside.has(pid));
  for (const pid of ours) writeFileSync(join(belongs.point, belongs.own, 'cgroup.procs'), String(pid));
  return ours.length > 0;
}

/** This process and its ancestors, as far as they can be seen. */
function lineage(): number[] {
  const pids: number[] = [];
  for (let pid = process.pid; pid > 0 && !pids.includes(pid); pid = readStat(pid)?.ppid ?? 0) pids.push(pid);
  return pids;
}
