import { KillswitchError } from '@agent-killswitch/core';

/** There is no Linux `/proc` of this process's own pid namespace here, without which no process can be told from another. */
export class UnsupportedPlatformError extends KillswitchError {
  readonly code = 'unsupported-platform';
}

/** What was given as a handle names no process that this runtime may touch. Nothing was signalled. */
export class InvalidHandleError extends KillswitchError {
  readonly code = 'invalid-handle';
}

/**
 * The handle is of another machine or pid namespace, into which this process cannot see, or of what lives in the memory of
 * another process. Nothing was touched.
 */
export class UnreachableHandleError extends KillswitchError {
  readonly code = 'unreachable-handle';
}

/** Everything that is surely the agent's was signalled; the processes that the message names may be its too, and were not. */
export class UncertainVictimError extends KillswitchError {
  readonly code = 'uncertain-victim';
}

/** The kernel does not let this process signal the ones that the message names. The others were signalled. */
export class SignalRefusedError extends KillswitchError {
  readonly code = 'signal-refused';
}

/** `/proc` could not be read, for example for want of file descriptors. `cause` has the system's error. */
export class ProcUnreadableError extends KillswitchError {
  readonly code = 'proc-unreadable';
}

/** The command could not be started; nothing of it is running. `cause` has the system's error (ENOENT, EACCES, …). */
export class SpawnFailedError extends KillswitchError {
  readonly code = 'spawn-failed';
}

/** The system's name for what went wrong (`ENOENT`), if the thrown value has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/**
 * Why the `AbortSignal` of an agent aborts: what its `signal.reason` is in this process. A worker gets a copy of it, an
 * `Error` with the same message.
 */
export class AgentStoppedError extends KillswitchError {
  readonly code = 'agent-stopped';
  /** `stop`: it has a grace to end by itself in. `kill`: it has not. */
  readonly demand: 'stop' | 'kill';

  /** @param reason that the principal gave for the stop */
  constructor(agentId: string, demand: 'stop' | 'kill', reason: string | undefined) {
    super(`Agent ${agentId} is told to end${reason === undefined ? '' : `: ${reason}`}`);
    this.demand = demand;
  }
}
