import { containerIdsIn } from './cgroup-path.ts';
import type { Local } from './handle.ts';
import { readCgroups, readStat } from './process-stat.ts';

/**
 * Whether the container's first process lives, wherever it has moved itself: its pid and its start time agree. One that by now is
 * in the cgroup of another container is taken for that one's.
 */
export function isFirstAlive(containerId: string, { pid, startTime }: Local): boolean {
  const stat = readStat(pid);
  if (stat?.startTime !== startTime || !stat.alive) return false;
  const ids = containerIdsIn(readCgroups(pid) ?? '');
  return ids.size === 0 || ids.has(containerId);
}
