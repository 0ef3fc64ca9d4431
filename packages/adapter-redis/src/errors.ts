import { KillswitchError } from '@agent-killswitch/core';

/**
 * A stored record, or a key that belongs to this store, cannot be read: truncated, of the wrong type, missing, or of a
 * shape that no version of this package writes. It is never skipped over: see `redisState`.
 */
export class StateRecordError extends KillswitchError {
  readonly code = 'state-record';
  /** The key; for a record in a hash, the key and the field. */
  readonly key: string;

  constructor(key: string, fault: string) {
    super(`What is stored at ${key} cannot be read (${fault}): restore it, or remove it by hand`);
    this.key = key;
  }
}

/** A record was written by a newer version of this package. Nothing was changed. */
export class StateVersionError extends KillswitchError {
  readonly code = 'state-version';
  readonly key: string;

  constructor(key: string, version: number) {
    super(`What is stored at ${key} is of version ${version}: upgrade @agent-killswitch/adapter-redis`);
    this.key = key;
  }
}

/**
 * The server holds another state than before, or an older one: restarted empty, flushed, or failed over to a replica
 * that had missed a stop. Nothing was changed. It is not trusted before what this client knows has been put back.
 */
export class StateLostError extends KillswitchError {
  readonly code = 'state-lost';
}

/** The server is at its `maxmemory`. Nothing was changed. Only admissions and approvals are refused then. */
export class StateFullError extends KillswitchError {
  readonly code = 'state-full';
}

/** The server's `maxmemory-policy` has it drop keys without a time to live when it is full. Nothing was changed. */
export class StateEvictionError extends KillswitchError {
  readonly code = 'state-eviction';
}

/** More than `maxPendingBytes` wait for an answer already, so that this call was not sent. Nothing was changed. */
export class StateBusyError extends KillswitchError {
  readonly code = 'state-busy';
}

/** The client cannot be used here, for example since it is in subscriber mode: give one of its own, in normal mode. */
export class StateClientError extends KillswitchError {
  readonly code = 'state-client';
}

/** The server or the way to it failed. What the call was to change may or may not be stored. */
export class StateConnectionError extends KillswitchError {
  readonly code = 'state-connection';
}

/** `close()` has been called. */
export class StateClosedError extends KillswitchError {
  readonly code = 'state-closed';
}
