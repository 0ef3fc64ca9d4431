import { setImmediate as nextTurn } from 'node:timers/promises';
import { MarkReader } from './mark-reader.ts';
import { listPids, readStat } from './proc.ts';
import type { ProcessStat } from './process-stat.ts';
import { Snapshot } from './snapshot.ts';

/** How long the event loop is held at most before other work gets a turn. */
const sliceMs = 5;
/** /proc is listed again until it shows no new pid, at most so often: a tree that forks meanwhile is seen whole. */
const listings = 4;
/** And so often at most while one of those that it shows has ended before it could be looked at. */
const listingsToCatchUp = 12;

/** Reads all of /proc, again and again; what it saw before makes the next time cheaper and surer. One scan at a time. */
export class Scanner {
  readonly #marks = new MarkReader();
  #before: ReadonlySet<number> = new Set();

  /** @throws ProcUnreadableError */
  async scan(): Promise<Snapshot> {
    const looked = new Set<number>();
    const stats = new Map<number, ProcessStat>();
    let missed = 0;
    let sliceEnd = performance.now() + sliceMs;
    for (let listing = 1; listing <= listings || (missed > 0 && listing <= listingsToCatchUp); listing += 1) {
      const fresh = listPids().filter((pid) => !looked.has(pid));
      // Whoever was missed before and has left a child would have shown it now.
      missed = 0;
      if (fresh.length === 0) break;
      // New ones first: they may be gone in a moment.
      const inOrder = [
        ...fresh.filter((pid) => !this.#before.has(pid)),
        ...fresh.filter((pid) => this.#before.has(pid)),
      ];
      for (const pid of inOrder) {
        looked.add(pid);
        const stat = readStat(pid);
        // A new one that has ended already may have left a child, which only a further listing shows.
        if (!stat?.alive && !this.#before.has(pid)) missed += 1;
        if (stat !== undefined && !stat.kernelThread) stats.set(pid, stat);
        if (performance.now() > sliceEnd) {
          const since = performance.now();
          await nextTurn();
          // As long as others held it: else a scan would never end on a loop that is never idle.
          const othersMs = performance.now() - since;
          sliceEnd = performance.now() + Math.max(sliceMs, othersMs);
        }
      }
    }
    this.#before = looked;
    const living = [...stats.values()].filter((stat) => stat.alive);
    return new Snapshot(stats.values(), await this.#marks.read(living), missed, process.pid);
  }
}
