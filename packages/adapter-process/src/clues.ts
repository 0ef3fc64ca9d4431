import { readlinkSync } from 'node:fs';
import { cgroupLines } from './cgroup-lines.ts';
import { cgroupNamespace } from './cgroup-mount.ts';
import type { OrphanClues } from './orphans.ts';
import { ownReaper } from './reaper.ts';
import type { Snapshot } from './snapshot.ts';

/** By what the orphans of a process are told that is adopted now. */
export async function cluesOf(pid: number, snapshot: Snapshot): Promise<OrphanClues> {
  const clues = { cgroups: cgroupLines(pid) ?? '', cgroupNamespace: cgroupNamespace() };
  if (!sharesPidNamespace(pid)) return clues;
  const none = noReapers(await ownReaper(), snapshot);
  const [parent = 1, ...elders] = lineage(snapshot.get(pid)?.ppid ?? 1, snapshot);
  // Its parent gets no orphans perhaps, but children that it made with CLONE_PARENT.
  const chain = [parent, ...elders.filter((ancestor) => !none.has(ancestor))];
  const reapers = [...new Set([...chain, 1])].map((ancestor) => snapshot.get(ancestor));
  // One that is hidden from this user can get orphans, too.
  if (!reapers.every((reaper) => reaper !== undefined)) return clues;
  return { ...clues, reapers: reapers.map(({ pid, startTime }) => ({ pid, startTime })) };
}

/** Not so of processes that cannot be looked into either. */
export function sharesPidNamespace(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid');
  } catch {
    return false;
  }
}

/** This process and its ancestors, up to the one that gets the orphans of all of them. */
function noReapers(reaper: number | undefined, snapshot: Snapshot): ReadonlySet<number> {
  const own = lineage(process.pid, snapshot);
  const at = reaper === undefined ? -1 : own.indexOf(reaper);
  return new Set(at === -1 ? [] : own.slice(0, at));
}

/** A process and its ancestors, as far as they can be seen. */
function lineage(pid: number, snapshot: Snapshot): number[] {
  const chain: number[] = [];
  for (let next: number | undefined = pid; next && !chain.includes(next); next = snapshot.get(next)?.ppid)
    chain.push(next);
  return chain;
}
