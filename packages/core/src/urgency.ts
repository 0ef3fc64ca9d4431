import type { StopOrder } from './order.ts';

/** When a kill's next rungs and its report are due, in milliseconds since the Unix epoch. */
export interface Urgency {
  readonly killAt: number;
  readonly forceAt: number;
  readonly deadlineAt: number;
}

const never = Number.POSITIVE_INFINITY;
export const notUrgent: Urgency = { killAt: never, forceAt: never, deadlineAt: never };

/**
 * When a stop order's own are due. An order without grace kills at once, whatever this host's clock says beside that of the
 * host that was asked (I1).
 */
export function urgencyOf({
  requestedAt,
  killAt,
  forceAt,
  deadlineAt,
}: Pick<StopOrder, 'requestedAt' | keyof Urgency>): Urgency {
  return { killAt: killAt <= requestedAt ? Number.NEGATIVE_INFINITY : killAt, forceAt, deadlineAt };
}

/** Of two sets of deadlines the nearer ones: a second order can only harden (I7). */
export function nearest(a: Urgency, b: Urgency): Urgency {
  return {
    killAt: Math.min(a.killAt, b.killAt),
    forceAt: Math.min(a.forceAt, b.forceAt),
    deadlineAt: Math.min(a.deadlineAt, b.deadlineAt),
  };
}
