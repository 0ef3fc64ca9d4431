import { type ChainFault, describeError, KillswitchError } from '@agent-killswitch/core';

/** What is wrong with a line: no JSON, JSON of another shape or not in canonical form, or a break in the chain. */
export type JournalFault = 'not-json' | 'not-a-record' | ChainFault;

/** Another living process writes this journal, or did when it last said so. Nothing was changed. */
export class JournalLockedError extends KillswitchError {
  readonly code = 'journal-locked';
  /** The lock file. */
  readonly path: string;
  /** Who holds it; absent if the lock file cannot be understood. */
  readonly pid?: number;

  constructor(path: string, pid?: number) {
    super(
      pid === undefined
        ? `The lock ${path} is not one of this library: remove it if nothing writes to this journal`
        : `The journal is written by process ${pid} (lock ${path}): close it there, or give this process its own writer name`,
    );
    this.path = path;
    if (pid !== undefined) this.pid = pid;
  }
}

/** A line of the journal is damaged or was tampered with, and it is not the torn end that a crash leaves. Nothing was changed. */
export class JournalCorruptError extends KillswitchError {
  readonly code = 'journal-corrupt';
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  readonly fault: JournalFault;
  /** The id of the event on that line, where it has one. */
  readonly eventId?: string;

  constructor(path: string, line: number, fault: JournalFault, eventId?: string) {
    super(
      `The journal ${path} is damaged at line ${line} (${fault}): restore the file, or move it away as evidence, and open it again`,
    );
    this.path = path;
    this.line = line;
    this.fault = fault;
    if (eventId !== undefined) this.eventId = eventId;
  }
}

/** The journal holds an event of a version that this version of the library does not know. Nothing was changed. */
export class JournalVersionError extends KillswitchError {
  readonly code = 'journal-version';
  readonly path: string;
  readonly line: number;
  readonly version: unknown;

  constructor(path: string, line: number, version: unknown) {
    super(
      `The journal ${path} has an event of version ${JSON.stringify(version)} at line ${line}: update agent-killswitch`,
    );
    this.path = path;
    this.line = line;
    this.version = version;
  }
}

/**
 * The journal cannot be made, or cannot be written durably now. Nothing of the rejected append counts; a retry is safe.
 * The journal tries to recover with every append.
 */
export class JournalWriteError extends KillswitchError {
  readonly code = 'journal-write';
  readonly path: string;
  /**
   * The system's code where it gave one, such as `ENOSPC`; `ETIMEDOUT` if it did not answer in time, `EAGAIN` if too
   * many events wait already.
   */
  readonly errno?: string;

  constructor(path: string, operation: string, cause: unknown) {
    super(`The journal ${path} cannot be written (${operation}): ${describeError(cause)}`, { cause });
    this.path = path;
    const errno = errnoOf(cause);
    if (errno !== undefined) this.errno = errno;
  }
}

/** The journal cannot be read now. */
export class JournalReadError extends KillswitchError {
  readonly code = 'journal-read';
  readonly path: string;
  /** As in {@link JournalWriteError}. */
  readonly errno?: string;

  constructor(path: string, cause: unknown) {
    super(`The journal ${path} cannot be read: ${describeError(cause)}`, { cause });
    this.path = path;
    const errno = errnoOf(cause);
    if (errno !== undefined) this.errno = errno;
  }
}

/** `close()` was called. */
export class JournalClosedError extends KillswitchError {
  readonly code = 'journal-closed';

  constructor(path: string) {
    super(`The journal ${path} is closed: make a new one with fileJournal()`);
  }
}

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
