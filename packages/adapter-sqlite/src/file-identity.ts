import { type BigIntStats, statSync } from 'node:fs';
import { StateFileError } from './errors.ts';

/**
 * Notices that the file at the path is not the one that is open: deleted, moved, or replaced. SQLite goes on writing to
 * what it opened, and a stop stored there would be gone at the next start (I1).
 */
export class FileIdentity {
  readonly #file: string;
  readonly #opened: BigIntStats | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#opened = look(file);
  }

  /** @throws StateFileError */
  check(): void {
    const now = look(this.#file);
    if (now === undefined || now.ino !== this.#opened?.ino || now.dev !== this.#opened.dev) {
      throw new StateFileError(
        `${this.#file} was deleted, moved or replaced while in use: put it back, or restart`,
      );
    }
  }
}

function look(file: string): BigIntStats | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false });
}
