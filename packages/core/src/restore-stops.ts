import type { AuditEvent, AuditEventType } from './audit-event.ts';
import type { Book } from './book.ts';
import { withDeadline } from './deadline.ts';
import { describeError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { StopOrder } from './order.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Clock } from './ports/clock.ts';

type Requested = Extract<AuditEvent, { type: 'order.requested' }>;

const about: readonly AuditEventType[] = [
  'order.requested',
  'order.joined',
  'order.settled',
  'gate.released',
];

/** A long record takes a while; one that hangs must not keep a host from starting. */
const readMs = 60_000;

export interface RestoreHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly sink: AuditSink;
  readonly events: GuardedEvents;
}

/**
 * Puts stops back into the state store that stand on the audit record but not there: the store was down when they were
 * asked for and the process ended before it was back, or the store was lost. Of two copies the one that says stopped
 * wins. Only orders of this host: every host has them on its own record.
 * @throws StateUnavailableError. A record that cannot be read is a `warning`: the state store alone has to do.
 */
export async function restoreStops(host: RestoreHost): Promise<void> {
  const { book, sink, events, clock } = host;
  let standing: Awaited<ReturnType<typeof standingStops>>;
  try {
    standing = await withDeadline(clock, 'reading the audit record', readMs, () =>
      standingStops(sink, host.hostId),
    );
  } catch (error) {
    events.emit('warning', {
      message: `Stops on record were not compared with the state store: ${describeError(error)}`,
    });
    return;
  }
  for (const { requested, settledAt } of standing.values()) {
    const order = orderOf(requested);
    const stored = await book.ask('reading an order', (store) => store.getOrder(order.orderId));
    if (stored !== undefined) continue;
    const { placed } = await book.ask('restoring an order', (store) => store.placeOrder(order));
    events.emit('warning', { message: `Stop order "${order.orderId}" was on record only: it is restored` });
    if (!placed || settledAt === undefined) continue;
    await book.ask('restoring an order', (store) => store.swapOrder({ ...order, revision: 1, settledAt }));
  }
}

/** Orders on record that are open or still bar something. */
async function standingStops(
  sink: AuditSink,
  hostId: string,
): Promise<Map<string, { requested: Requested; settledAt?: number }>> {
  const standing = new Map<string, { requested: Requested; settledAt?: number }>();
  for await (const { event } of sink.read({ types: about })) {
    if (event.type === 'order.requested' && event.hostId === hostId)
      standing.set(event.orderId, { requested: event });
    if (event.type === 'order.joined') standing.delete(event.orderId);
    if (event.type === 'gate.released') for (const orderId of event.orderIds) standing.delete(orderId);
    if (event.type !== 'order.settled') continue;
    const stop = standing.get(event.orderId);
    if (stop?.requested.opens === 'at-settle') standing.delete(event.orderId);
    else if (stop !== undefined) stop.settledAt = Date.parse(event.time);
  }
  return standing;
}

function orderOf(requested: Requested): StopOrder {
  const { orderId, hostId, scope, workspaceId, ownerId, opens, principal, reason, policyVersion } = requested;
  return {
    orderId,
    revision: 0,
    hostId,
    scope,
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(ownerId === undefined ? {} : { ownerId }),
    opens,
    principal,
    reason,
    policyVersion,
    requestedAt: Date.parse(requested.time),
    killAt: Date.parse(requested.killAt),
    forceAt: Date.parse(requested.forceAt),
    deadlineAt: Date.parse(requested.deadlineAt),
  };
}
