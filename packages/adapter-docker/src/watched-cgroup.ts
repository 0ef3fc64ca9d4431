import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const buffer = Buffer.alloc(256);

/**
 * The `cgroup.events` of a cgroup (v2), held open. While an engine removes the cgroups of many dead containers, every path in there
 * takes the kernel milliseconds to find; what is open is read at once.
 */
export class WatchedCgroup {
  readonly #file: number;

  private constructor(file: number) {
    this.#file = file;
  }

  /** `undefined` if it is gone, or cannot be opened. Close it. */
  static open(folder: string): WatchedCgroup | undefined {
    try {
      return new WatchedCgroup(openSync(join(folder, 'cgroup.events'), 'r'));
    } catch {
      return undefined;
    }
  }

  /** Whether anything in there or below lives. One that was removed is empty: the kernel removes no other. */
  get isPopulated(): boolean {
    try {
      return /^populated 1$/m.test(
        buffer.toString('latin1', 0, readSync(this.#file, buffer, 0, buffer.length, 0)),
      );
    } catch {
      return false;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
