import type { ChildProcess } from 'node:child_process';

/** Children started here and not reaped yet: their pids are theirs beyond doubt, with no look at /proc. */
export class Children {
  readonly #startTimes = new Map<number, number | undefined>();

  /** @param startTime `undefined` if it could not be read */
  add(pid: number, startTime: number | undefined, child: ChildProcess): void {
    this.#startTimes.set(pid, startTime);
    child.once('exit', () => this.#startTimes.delete(pid));
  }

  has(pid: number, startTime: number): boolean {
    return this.#startTimes.get(pid) === startTime;
  }

  /**
   * SIGKILL to the child's process group; the rest of its tree is not reached. Needs no look at /proc, which takes longer and
   * may fail. Returns whether it was sent.
   */
  killGroup(pid: number, startTime: number | undefined): boolean {
    if (!this.#startTimes.has(pid) || this.#startTimes.get(pid) !== startTime) return false;
    try {
      return process.kill(-pid, 'SIGKILL');
    } catch {
      // The group is empty, or the kernel refuses: the search for the agent's processes tells which.
      return false;
    }
  }
}
