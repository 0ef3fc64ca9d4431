import { StateClosedError } from './errors.ts';
import { faultOf, isBusy } from './sqlite-fault.ts';

interface Job {
  readonly giveUpAt: number;
  /** Settles the caller's promise; `false` if the lock was not to be had. */
  attempt(last: boolean): boolean;
  reject(error: unknown): void;
}

/** Longest time, in milliseconds, that queued jobs hold the event loop before others get their turn. */
const sliceMs = 10;

/**
 * Runs jobs one after the other, the first at once. One that finds the file locked waits without blocking the event
 * loop, since a kill may be under way on it (I5), for up to `busyMs`; those that come later wait behind it.
 */
export class Lane {
  private readonly jobs: Job[] = [];
  private readonly file: string;
  private readonly busyMs: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(file: string, busyMs: number) {
    this.file = file;
    this.busyMs = busyMs;
  }

  /** @throws StateBusyError after `busyMs`, StateClosedError, and what `work` throws. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.closed) throw this.closedError();
      const attempt = (last: boolean): boolean => {
        try {
          resolve(work());
        } catch (error) {
          if (isBusy(error) && !last) return false;
          reject(faultOf(error, this.file));
        }
        return true;
      };
      if (this.jobs.length === 0 && attempt(false)) return;
      this.jobs.push({ giveUpAt: performance.now() + this.busyMs, attempt, reject });
      this.timer ??= this.later();
    });
  }

  /** Rejects what still waits. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const job of this.jobs.splice(0)) job.reject(this.closedError());
  }

  /** Short, since somebody may be writing without a pause; random, so that two who wait do not meet again and again. */
  private later(ms: number = 1 + Math.random()): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.drain(), ms);
  }

  private drain(): void {
    const sliceEnd = performance.now() + sliceMs;
    let next = this.jobs[0];
    while (next?.attempt(performance.now() >= next.giveUpAt)) {
      this.jobs.shift();
      next = this.jobs[0];
      if (next !== undefined && performance.now() > sliceEnd) {
        this.timer = this.later(0);
        return;
      }
    }
    this.timer = next === undefined ? undefined : this.later();
  }

  private closedError(): StateClosedError {
    return new StateClosedError(`${this.file} was closed: open it again with sqliteState()`);
  }
}
