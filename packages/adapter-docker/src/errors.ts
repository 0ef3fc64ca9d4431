import { KillswitchError } from '@agent-killswitch/core';

/** What was given as a handle names no container that this runtime may touch. Nothing was touched. */
export class InvalidHandleError extends KillswitchError {
  readonly code = 'invalid-handle';
}

/** The container belongs to another engine than the one that this runtime talks to. Nothing was touched. */
export class UnreachableHandleError extends KillswitchError {
  readonly code = 'unreachable-handle';
}

/** The kernel did not let this process kill through the container's cgroup. `cause` has the system's error. */
export class LocalKillError extends KillswitchError {
  readonly code = 'local-kill-failed';
}

/** There is no connection to the engine. `cause` has the system's error (ECONNREFUSED, ENOENT, ECONNRESET, …). */
export class EngineUnreachableError extends KillswitchError {
  readonly code = 'engine-unreachable';
}

/** The engine took the request and did not answer in time: it may hang. */
export class EngineSilentError extends KillswitchError {
  readonly code = 'engine-silent';
}

/** The engine or a proxy before it does not let this client do that (401, 403, 407). */
export class EngineDeniedError extends KillswitchError {
  readonly code = 'engine-denied';
}

/** The engine refused the request for another reason (any other 4xx). */
export class EngineRefusedError extends KillswitchError {
  readonly code = 'engine-refused';
}

/** The engine failed (5xx). */
export class EngineFailedError extends KillswitchError {
  readonly code = 'engine-failed';
}

/** What the engine answered makes no sense: a status that is neither success nor failure, or a body of another shape. */
export class EngineAnswerError extends KillswitchError {
  readonly code = 'engine-answer';
}

/** The container could not be started. Nothing of it runs, or the agent has its handle and stays killable. */
export class SandboxFailedError extends KillswitchError {
  readonly code = 'sandbox-failed';
}

/** The agent was killed, or has ended, before its container ran. The container is being destroyed. */
export class AgentStoppedError extends KillswitchError {
  readonly code = 'agent-stopped';
}

/** The system's name for what went wrong (`ENOENT`), if the thrown value has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
