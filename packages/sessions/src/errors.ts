import { KillswitchError } from '@agent-killswitch/core';

/** JSON cannot hold the checkpoint: the message says what of it. The one before stays. */
export class CheckpointNotSerialisableError extends KillswitchError {
  readonly code = 'checkpoint-not-serialisable';
}

/** The checkpoint is larger, as JSON in UTF-8, than the sessions' `maxCheckpointBytes`. The one before stays. */
export class CheckpointTooLargeError extends KillswitchError {
  readonly code = 'checkpoint-too-large';
}

/** The session's task is over: what still runs of it may say nothing more in its name. */
export class SessionOverError extends KillswitchError {
  readonly code = 'session-over';
}

/** The session store failed or did not answer in time. `cause` has its error. */
export class SessionStoreError extends KillswitchError {
  readonly code = 'session-store';
}
