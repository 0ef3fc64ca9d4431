import type { Book } from './book.ts';
import type { Deadlines, KillswitchOptions } from './config.ts';
import type { GuardedEvents } from './events.ts';
import { type RandomBytes, ulid } from './ids.ts';
import type { StopOrder } from './order.ts';
import type { Clock } from './ports/clock.ts';
import type { Actor } from './principal.ts';
import { scopeKey } from './scope.ts';
import type { Stops } from './stops.ts';

/** Who stops the agents of a host that has lost its lease, on the record. */
export const leasePrincipal: Actor = { id: 'system:lease', kind: 'service' };

export interface LeaseLossHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly deadlines: Deadlines;
  readonly book: Book;
  readonly events: GuardedEvents;
  readonly stops: Stops;
  readonly onLeaseLost: NonNullable<KillswitchOptions['onLeaseLost']>;
}

/**
 * This host could not renew its lease: others hold it for lost, and no stop of theirs may reach its agents. So it stops them
 * itself (I1, I6), unless it is told to keep them. Nothing of it comes before the store's answer that others wait for: the
 * order stands here until the store takes it, then there, and bars admissions by this host until it has settled.
 */
export function onLeaseLost(host: LeaseLossHost): void {
  const { hostId, clock, book, events, stops, deadlines } = host;
  const scope = { host: hostId };
  const living = book.ownIn(scopeKey(scope)).length;
  const isKept = host.onLeaseLost === 'keep';
  events.emit('warning', {
    message: `The state store has not answered for ${deadlines.lease} ms, and the lease has run out: ${living} agents of this host are ${isKept ? 'kept' : 'killed'}`,
  });
  if (isKept || living === 0) return;
  const requestedAt = clock.now();
  const order: StopOrder = {
    orderId: `ord_${ulid(requestedAt, host.randomBytes)}`,
    revision: 0,
    hostId,
    scope,
    opens: 'at-settle',
    principal: leasePrincipal,
    reason: `the state store has not answered for ${deadlines.lease} ms, and the lease of host "${hostId}" has run out`,
    policyVersion: 'lease/1',
    requestedAt,
    killAt: requestedAt,
    forceAt: requestedAt + deadlines.forceAfter,
    deadlineAt: requestedAt + deadlines.confirmWithin,
  };
  stops.place(order).catch((error: unknown) => {
    events.emit('warning', { message: `The agents of this host were not stopped: ${String(error)}` });
  });
}
