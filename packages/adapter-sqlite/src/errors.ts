import { KillswitchError } from '@agent-killswitch/core';

/** Another process kept the file locked for longer than `busyMs`. Nothing was changed; the call can be repeated. */
export class StateBusyError extends KillswitchError {
  readonly code = 'state-busy';
}

/** The file, or the folder that it needs for its log, cannot be written by this user. Nothing was changed. */
export class StateReadOnlyError extends KillswitchError {
  readonly code = 'state-read-only';
}

/** The file was written by a newer version of this package. Nothing was changed. */
export class StateVersionError extends KillswitchError {
  readonly code = 'state-version';
}

/** The path does not lead to an intact state file: not SQLite, another application's, empty, truncated or corrupt. */
export class StateFileError extends KillswitchError {
  readonly code = 'state-file';
}

/** The disk is full or fails. What the call was to change may or may not be stored. */
export class StateDiskError extends KillswitchError {
  readonly code = 'state-disk';
}

/** `close()` has been called on this client. */
export class StateClosedError extends KillswitchError {
  readonly code = 'state-closed';
}

/** A stored record does not have the shape it must have. It is never skipped over: see `sqliteState`. */
export class StateRecordError extends KillswitchError {
  readonly code = 'state-record';
  readonly table: string;
  readonly id: string;

  constructor(file: string, table: string, id: string, fault: string) {
    super(
      `The record of "${id}" in table ${table} of ${file} cannot be read (${fault}): restore it from a backup, or ` +
        `look at it with the sqlite3 shell`,
    );
    this.table = table;
    this.id = id;
  }
}
