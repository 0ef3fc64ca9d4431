import type { Deadlines } from './config.ts';
import { type RandomBytes, ulid } from './ids.ts';
import type { StopOrder } from './order.ts';
import type { Clock } from './ports/clock.ts';

export interface SystemOrderHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly deadlines: Deadlines;
}

type What = Pick<StopOrder, 'scope' | 'workspaceId' | 'ownerId' | 'principal' | 'reason' | 'policyVersion'>;

/** A kill that nobody asked for, which no authorizer decides: its principal says why it is. */
export function systemOrder(
  { hostId, clock, randomBytes, deadlines }: SystemOrderHost,
  what: What,
): StopOrder {
  const requestedAt = clock.now();
  return {
    ...what,
    orderId: `ord_${ulid(requestedAt, randomBytes)}`,
    revision: 0,
    hostId,
    opens: 'at-settle',
    requestedAt,
    killAt: requestedAt,
    forceAt: requestedAt + deadlines.forceAfter,
    deadlineAt: requestedAt + deadlines.confirmWithin,
  };
}
