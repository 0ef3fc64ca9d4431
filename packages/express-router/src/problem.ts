import {
  type GateClosedError,
  type InvalidInputError,
  isKillswitchError,
  iso,
  KillswitchError,
} from '@agent-killswitch/core';
import type { Problem } from './answers.ts';

/** By error code; whatever is not here is our own fault: 500, without a detail. */
const kinds: Readonly<Record<string, { readonly status: number; readonly title: string }>> = {
  'invalid-input': { status: 400, title: 'The request is not of the asked-for shape' },
  'invalid-transition': { status: 400, title: 'The agent is in no state for this' },
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'Who asks is not known' },
  forbidden: { status: 403, title: 'The principal may not do this' },
  'unknown-target': { status: 404, title: 'There is no such thing' },
  'no-such-route': { status: 404, title: 'There is no such endpoint' },
  'cross-site-request': { status: 403, title: 'The request may come from another site' },
  'method-not-allowed': { status: 405, title: 'The endpoint does not know this method' },
  'request-timeout': { status: 408, title: 'The body did not come in time' },
  'agent-exists': { status: 409, title: 'The agent id was used before' },
  'stopped-again': { status: 409, title: 'Stopped again while the release was on its way' },
  'task-conflict': { status: 409, title: 'The task id is taken' },
  'parent-killed': { status: 409, title: 'The parent agent was killed' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is not JSON' },
  'gate-closed': { status: 423, title: 'Stopped: a gate is shut' },
  'too-many-attempts': { status: 429, title: 'Too many attempts without known credentials' },
  'too-many-streams': { status: 503, title: 'Too many callers listen to events' },
  'state-unavailable': { status: 503, title: 'The state store does not answer' },
  'audit-unavailable': { status: 503, title: 'The audit record cannot be written' },
  'not-started': { status: 503, title: 'The service is not ready' },
  'authentication-unavailable': { status: 503, title: 'Who asks cannot be found out' },
};

/** Every code there is, with its status. */
export const problemCodes: Readonly<Record<string, number>> = Object.fromEntries([
  ...Object.entries(kinds).map(([code, { status }]) => [code, status]),
  ['internal', 500],
]);

/** A failure of the HTTP surface itself, for example a body over the limit. `code` is one of the problem codes. */
export class HttpError extends KillswitchError {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The problem that an error is told as. Nothing of an error that is not the library's own is shown. */
export function problemOf(error: unknown): Problem {
  const known = isKillswitchError(error) ? kinds[error.code] : undefined;
  if (known === undefined || !isKillswitchError(error)) {
    return { type: typeOf('internal'), title: 'Something went wrong here', status: 500, code: 'internal' };
  }
  return {
    type: typeOf(error.code),
    title: known.title,
    status: known.status,
    code: error.code,
    detail: error.message,
    ...(error.code === 'invalid-input' ? { issues: [...(error as InvalidInputError).issues] } : {}),
    ...(error.code === 'gate-closed' ? { gate: gateOf(error as GateClosedError) } : {}),
  };
}

function gateOf({ gate }: GateClosedError): NonNullable<Problem['gate']> {
  return { scope: gate.scope, reason: gate.reason, orderId: gate.orderId, shutAt: iso(gate.shutAt) };
}

function typeOf(code: string): string {
  return `urn:agent-killswitch:problem:${code}`;
}
