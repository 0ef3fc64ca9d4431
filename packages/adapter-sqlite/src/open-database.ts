import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { createFile } from './create-file.ts';
import { StateFileError } from './errors.ts';
import { migrate, tooNew, versionOf } from './migrate.ts';
import { applicationId, migrations } from './schema.ts';
import { faultOf, isBusy } from './sqlite-fault.ts';
import { prepareAll, type Statements } from './statements.ts';

interface Opened {
  readonly database: DatabaseSync;
  readonly statements: Statements;
}

/**
 * Opens the file, or creates it. Blocks for up to `busyMs` milliseconds while another process holds it: there is nothing
 * yet that could be served. A failure leaves an existing file as it was.
 * @throws StateBusyError, StateReadOnlyError, StateVersionError, StateFileError, StateDiskError
 */
export function openDatabase(file: string, busyMs: number, steps = migrations): Opened {
  const giveUpAt = performance.now() + busyMs;
  for (;;) {
    try {
      createFile(file, steps);
      inspect(file);
      return connect(file, steps);
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw faultOf(error, file);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.random() * 9);
    }
  }
}

/**
 * Looks before anything is touched: `immutable` takes no lock, recovers no log and makes no file. Through SQLite, since to
 * open and close the file by other means would drop the locks of every connection that this process has on it
 * (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function inspect(file: string): void {
  const database = new DatabaseSync(`${pathToFileURL(file).href}?immutable=1`, { readOnly: true });
  try {
    if (database.prepare('PRAGMA application_id').get()?.application_id !== applicationId) {
      throw new StateFileError(`${file} is empty or belongs to another application: give another path`);
    }
  } finally {
    database.close();
  }
}

function connect(file: string, steps: readonly string[]): Opened {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const version = versionOf(database);
    if (version < 0)
      throw new StateFileError(`${file} is damaged (version ${version}): restore it from a backup`);
    if (version > steps.length) throw tooNew(file, version, steps.length);
    if (database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode !== 'wal') {
      throw new StateFileError(
        `${file} cannot be shared between processes there: give a path on a local disk`,
      );
    }
    migrate(database, file, steps);
    return { database, statements: prepare(database, file) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepare(database: DatabaseSync, file: string): Statements {
  try {
    return prepareAll(database);
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : 'unknown';
    throw new StateFileError(`${file} is damaged (${fault}): restore it from a backup`, { cause });
  }
}
