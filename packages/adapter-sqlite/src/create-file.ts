import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StateDiskError, StateFileError, StateReadOnlyError } from './errors.ts';
import { migrate } from './migrate.ts';
import { applicationId } from './schema.ts';

/**
 * Makes a state file, mode 0600, unless there is one. It appears under its name complete, by a hard link: a file that
 * is empty or half written is therefore never a new one but a damaged one, whose gates must not be taken as open (I9).
 * @throws StateFileError, StateReadOnlyError
 */
export function createFile(file: string, steps: readonly string[]): void {
  const folder = dirname(file);
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile() === false) throw new StateFileError(`${file} is not a file: give another path`);
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (found !== undefined) {
      accessSync(file, constants.R_OK | constants.W_OK);
      return;
    }
    create(file, steps);
    syncFolders(folder, made === undefined ? folder : dirname(made));
  } catch (error) {
    throw fileFault(error, file);
  }
}

function create(file: string, steps: readonly string[]): void {
  const draft = `${file}-new-${randomUUID()}`;
  try {
    closeSync(openSync(draft, 'wx', 0o600));
    const database = new DatabaseSync(draft);
    try {
      database.exec(
        `PRAGMA application_id = ${applicationId}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`,
      );
      migrate(database, draft, steps);
    } finally {
      database.close();
    }
    link(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Another process may have been faster: then its file is the one. */
function link(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return;
    throw new StateFileError(`${file} cannot be created: give a path on a local disk with hard links`, {
      cause,
    });
  }
}

/** A name is durable once the folder it stands in is; Windows cannot open folders and needs no such step. */
function syncFolders(folder: string, last: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (folder !== last) syncFolders(dirname(folder), last);
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function fileFault(error: unknown, file: string): unknown {
  const options = { cause: error };
  if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) {
    return new StateReadOnlyError(
      `${file} cannot be written: give this user write access to it and its folder`,
      options,
    );
  }
  if (hasCode(error, 'EEXIST', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) {
    return new StateFileError(`The folder of ${file} cannot be made: give another path`, options);
  }
  if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EIO')) {
    return new StateDiskError(`The disk of ${file} is full or fails: free space or replace it`, options);
  }
  return error;
}
