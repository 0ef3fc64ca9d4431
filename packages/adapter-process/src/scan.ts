import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MarkReader } from './mark-reader.ts';
import { listPids, readStat } from './proc.ts';
import type { ProcessStat } from './process-stat.ts';
import { Snapshot } from './snapshot.ts';

/** How long the event loop is held at most before other work gets a turn. */
const sliceMs = 5;
/** /proc is listed again until it shows no new pid, at most so often: a tree that forks meanwhile is seen whole. */
const listings = 4;

/** @throws ProcUnreadableError */
export async function scan(marks: MarkReader): Promise<Snapshot> {
  const looked = new Set<number>();
  const stats = new Map<number, ProcessStat>();
  let sliceEnd = performance.now() + sliceMs;
  for (let listing = 0; listing < listings; listing += 1) {
    const fresh = listPids().filter((pid) => !looked.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      looked.add(pid);
      const stat = readStat(pid);
      if (stat !== undefined && !stat.kernelThread) stats.set(pid, stat);
      if (performance.now() > sliceEnd) {
        await nextTurn();
        sliceEnd = performance.now() + sliceMs;
      }
    }
  }
  const living = [...stats.values()].filter((stat) => stat.alive);
  return new Snapshot(stats.values(), await marks.read(living), process.pid);
}
