import type { ChildProcess } from 'node:child_process';

/** Children started here and not reaped yet: their pids are theirs beyond doubt, with no look at /proc. */
export class Children {
  readonly #startTimes = new Map<number, number | undefined>();

  /** @param startTime `undefined` if it could not be read */
  add(pid: number, startTime: number | undefined, child: ChildProcess): void {
    this.#startTimes.set(pid, startTime);
    child.once('exit', () => this.#startTimes.delete(pid));
  }

  /** SIGKILL to the child's process group. For when /proc cannot be read; the rest of its tree is not reached. */
  killGroup(pid: number, startTime: number | undefined): void {
    if (!this.#startTimes.has(pid) || this.#startTimes.get(pid) !== startTime) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The group is empty, or the kernel refuses: the caller reports why /proc could not be read.
    }
  }
}
