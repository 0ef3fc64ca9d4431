import { KillswitchError } from '@agent-killswitch/core';

/** The endpoint may not be connected to: its address is not public, and in no network that was named. Nothing was sent. */
export class AddressRefusedError extends KillswitchError {
  readonly code = 'address-refused';
}

/** The file with dead letters cannot be read or written now. */
export class DeadLettersError extends KillswitchError {
  readonly code = 'dead-letters';
}
