import type { Gate } from './gate.ts';
import { scopeKey } from './scope.ts';

const brand = Symbol.for('agent-killswitch.error');

/**
 * Base of every error this library throws on purpose. `code` is stable and is what callers switch on; the message
 * names the thing and the way out, and never carries a secret.
 */
export abstract class KillswitchError extends Error {
  abstract readonly code: string;
  readonly [brand] = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Whether `error` is one of ours, also when it comes from a second copy of the library; with `code`, whether it is that one. */
export function isKillswitchError(error: unknown, code?: string): error is KillswitchError {
  if (typeof error !== 'object' || error === null) return false;
  const candidate = error as Partial<KillswitchError>;
  try {
    return candidate[brand] === true && (code === undefined || candidate.code === code);
  } catch {
    // Ours have no getters that throw.
    return false;
  }
}

/** Something given to the library is not of the asked-for shape. Nothing was changed. */
export class InvalidInputError extends KillswitchError {
  readonly code = 'invalid-input';
  /** One line per fault, each naming the field. */
  readonly issues: readonly string[];

  constructor(what: string, issues: readonly string[]) {
    super(`Invalid ${what}: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

/** The configuration makes no sense. Every fault is listed; nothing was created. */
export class InvalidConfigurationError extends KillswitchError {
  readonly code = 'invalid-configuration';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(`Invalid killswitch configuration: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

/** The principal may not do this. The attempt is on the audit record. */
export class ForbiddenError extends KillswitchError {
  readonly code = 'forbidden';
}

/** No such agent, task or order, or one in a workspace that is none of the principal's: the two look the same (I11). */
export class UnknownTargetError extends KillswitchError {
  readonly code = 'unknown-target';
  constructor(what: 'agent' | 'task' | 'order', id: string) {
    super(`No ${what} "${id}"`);
  }
}

/** The agent's lifecycle has no such transition, for example a kill of a completed agent (REQUIREMENTS B1). */
export class InvalidTransitionError extends KillswitchError {
  readonly code = 'invalid-transition';
}

/** Admission refused: a gate on one of the agent's scopes is shut. `gate` says which, since when, why and by whom. */
export class GateClosedError extends KillswitchError {
  readonly code = 'gate-closed';
  readonly gate: Gate;

  constructor(gate: Gate) {
    super(`Stopped: the gate on ${scopeKey(gate.scope)} is shut: ${gate.reason}`);
    // Whoever catches it may change it: the gate itself is the order's.
    this.gate = structuredClone(gate);
  }
}

/** Admission refused: the parent, or one further up, is being killed or was killed; also where all in between have ended. */
export class ParentKilledError extends KillswitchError {
  readonly code = 'parent-killed';
}

/** Admission refused: the agent id was used before. Ids are never reused, so that no record is overwritten (I2). */
export class AgentExistsError extends KillswitchError {
  readonly code = 'agent-exists';
}

/** Admission refused: the task id is taken by another workspace or owner. */
export class TaskConflictError extends KillswitchError {
  readonly code = 'task-conflict';
}

/**
 * The agent would have more handles than the 16 that it can have. None of those that were given was taken, and what the new ones
 * reach is being destroyed: it would be on no record, and no stop would find it (I1).
 */
export class TooManyHandlesError extends KillswitchError {
  readonly code = 'too-many-handles';
}

/** A stop joined an order whose gate a release was about to open: the gate stays shut (I9). Look at it, then release again. */
export class StoppedAgainError extends KillswitchError {
  readonly code = 'stopped-again';
}

/** The state store did not answer in time or failed. Admission and release refuse; a kill goes on without it (I10). */
export class StateUnavailableError extends KillswitchError {
  readonly code = 'state-unavailable';
}

/** The audit record cannot be written now. Releases refuse; a kill goes on (DESIGN "When something is down"). */
export class AuditUnavailableError extends KillswitchError {
  readonly code = 'audit-unavailable';
}

/** `start()` has not been called, or `close()` has. */
export class NotStartedError extends KillswitchError {
  readonly code = 'not-started';
  constructor() {
    super('The killswitch is not started: await start() before admitting agents');
  }
}

/** At the end of this process something stood in its memory only. `unsaved` lists what, one line each. */
export class UnsavedError extends KillswitchError {
  readonly code = 'unsaved';
  readonly unsaved: readonly string[];

  constructor(unsaved: readonly string[]) {
    super(`Not saved: ${unsaved.join('; ')}`);
    this.unsaved = unsaved;
  }
}

/** A call on the outside world did not come back within its deadline. */
export class DeadlineError extends KillswitchError {
  readonly code = 'deadline';
}

/**
 * A thrown value as one bounded line for a record: whatever was thrown, whatever its getters do, with credentials in
 * URLs and after words such as `token=` removed (REQUIREMENTS B7).
 */
export function describeError(thrown: unknown): string {
  let text: string;
  try {
    text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    text = 'an error that cannot be read';
  }
  return text
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .replace(/\/\/[^/\s@]*@/g, '//…@')
    .replace(
      /\b(authorization|bearer|token|password|passwd|secret|api[-_]?key)(["']?\s*[=:]?\s*["']?)(?:(?:bearer|basic)\s+)?[^\s"',;]+/gi,
      '$1$2…',
    )
    .slice(0, 500);
}
