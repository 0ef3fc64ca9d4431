import { StateBusyError, StateDiskError, StateFileError, StateReadOnlyError } from './errors.ts';

/** Primary result codes of SQLite, https://sqlite.org/rescode.html. */
const results = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notSqlite: 26,
};

/** The primary result code, or `undefined` if SQLite did not throw this. */
function resultOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number')
    return undefined;
  return thrown.errcode & 0xff;
}

/** Whether another connection holds the lock that was needed, so that trying again makes sense. */
export function isBusy(thrown: unknown): boolean {
  const result = resultOf(thrown);
  return result === results.busy || result === results.locked;
}

/** What SQLite threw as the error that a caller can act on; anything else as it is. */
export function faultOf(thrown: unknown, file: string): unknown {
  const options = { cause: thrown };
  switch (resultOf(thrown)) {
    case results.busy:
    case results.locked:
      return new StateBusyError(
        `${file} is locked by another process: try again, or end the one that holds it`,
        options,
      );
    case results.readOnly:
      return new StateReadOnlyError(
        `${file} cannot be written: give this user write access to it and its folder`,
        options,
      );
    case results.io:
    case results.full:
      return new StateDiskError(`The disk of ${file} is full or fails: free space or replace it`, options);
    case results.corrupt:
      return new StateFileError(`${file} is truncated or corrupt: restore it from a backup`, options);
    case results.cannotOpen:
      return new StateFileError(
        `${file} cannot be opened: check that it is a file this user may read`,
        options,
      );
    case results.notSqlite:
      return new StateFileError(`${file} is not a SQLite database: give another path`, options);
    default:
      return thrown;
  }
}
