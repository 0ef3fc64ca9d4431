import { iso, type KillOutcome, type OrderReport } from '@agent-killswitch/core';
import type { HttpResponse } from './http.ts';

/** The body of every answer about a stop order. Times are RFC 3339. */
export interface StopResponse {
  readonly message: string;
  readonly orderId: string;
  /** `false`: the stop is in force, but would be lost if the service ended now. */
  readonly stored: boolean;
  /** Every agent in scope was observed dead, and cleanup was tried. */
  readonly settled: boolean;
  readonly scope: OrderReport['scope'];
  readonly reason: string;
  readonly requestedAt: string;
  readonly deadlineAt: string;
  readonly total: number;
  readonly killed: number;
  /** Not confirmed dead at the deadline; the kill goes on. */
  readonly failed: number;
  readonly outcomes: ReadonlyArray<
    Omit<KillOutcome, 'requestedAt' | 'confirmedAt'> & {
      readonly requestedAt: string;
      readonly confirmedAt?: string;
    }
  >;
  readonly errors: readonly string[];
}

/** 200 when it is over and everybody is confirmed dead, otherwise 202 and where to look again. */
export function stopResponse(report: OrderReport): HttpResponse {
  const body = stopBody(report);
  if (report.settled && report.failed === 0) return { status: 200, body };
  return { status: 202, body, location: `/orders/${report.orderId}` };
}

export function stopBody(report: OrderReport): StopResponse {
  return {
    message: messageOf(report),
    orderId: report.orderId,
    stored: report.stored,
    settled: report.settled,
    scope: report.scope,
    reason: report.reason,
    requestedAt: iso(report.requestedAt),
    deadlineAt: iso(report.deadlineAt),
    total: report.total,
    killed: report.killed,
    failed: report.failed,
    outcomes: report.outcomes.map(({ requestedAt, confirmedAt, ...outcome }) => ({
      ...outcome,
      requestedAt: iso(requestedAt),
      ...(confirmedAt === undefined ? {} : { confirmedAt: iso(confirmedAt) }),
    })),
    errors: report.errors,
  };
}

function messageOf({ total, killed, failed, settled }: OrderReport): string {
  const agents = total === 1 ? 'agent' : 'agents';
  if (settled)
    return total === 0
      ? 'Stopped; no agent was alive'
      : `Killed ${killed} of ${total} ${agents}, each observed dead`;
  if (killed === total && total > 0)
    return `Each of ${total} ${agents} observed dead; their cleanup or the record of it is not done yet`;
  const named = failed === 0 ? '' : `, ${failed} not confirmed dead`;
  return `Still stopping: ${killed} of ${total} ${agents} observed dead${named}`;
}
