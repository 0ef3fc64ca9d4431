import type { Book } from './book.ts';
import type { KillswitchOptions } from './config.ts';
import type { GuardedEvents } from './events.ts';
import type { Actor } from './principal.ts';
import { scopeKey } from './scope.ts';
import type { Stops } from './stops.ts';
import { type SystemOrderHost, systemOrder } from './system-order.ts';

/** Who stops the agents of a host that has lost its lease, on the record. */
export const leasePrincipal: Actor = { id: 'system:lease', kind: 'service' };

export interface LeaseLossHost extends SystemOrderHost {
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
  const { hostId, book, events, stops, deadlines } = host;
  const scope = { host: hostId };
  const living = book.ownIn(scopeKey(scope)).length;
  const isKept = host.onLeaseLost === 'keep';
  events.emit('warning', {
    message: `The state store has not answered for ${deadlines.lease} ms, and the lease has run out: ${living} agents of this host are ${isKept ? 'kept' : 'killed'}`,
  });
  if (isKept || living === 0) return;
  const order = systemOrder(host, {
    scope,
    principal: leasePrincipal,
    reason: `the state store has not answered for ${deadlines.lease} ms, and the lease of host "${hostId}" has run out`,
    policyVersion: 'lease/1',
  });
  stops.place(order).catch((error: unknown) => {
    events.emit('warning', { message: `The agents of this host were not stopped: ${String(error)}` });
  });
}
