import type { AuditRecord } from './audit-chain.ts';
import type { AuditEvent, AuditEventType } from './audit-event.ts';
import type { ReleaseRequested } from './tell-releases.ts';

type Of<T extends AuditEventType> = Extract<AuditEvent, { type: T }>;

/** The types of the events that {@link recall} heeds. */
export const recalledTypes: readonly AuditEventType[] = [
  'order.requested',
  'order.joined',
  'order.settled',
  'release.requested',
  'gate.released',
];

/** What a host's audit record says of stops, its own and those that it has seen, and of its releases. */
export interface Recalled {
  /** Ids of all orders on record. */
  readonly onRecord: ReadonlySet<string>;
  /** Orders that are open or still bar something, by id. */
  readonly stops: ReadonlyMap<
    string,
    { readonly requested: Of<'order.requested'>; readonly settledAt?: number }
  >;
  /** Releases of which no end is on record, by id: refused, still short of approvals, or cut off. */
  readonly releases: ReadonlyMap<string, ReleaseRequested>;
  /** Orders whose gates some release has opened, whoever's. */
  readonly opened: ReadonlySet<string>;
}

export async function recall(
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  hostId: string,
): Promise<Recalled> {
  const stops = new Map<string, { requested: Of<'order.requested'>; settledAt?: number }>();
  const releases = new Map<string, ReleaseRequested>();
  const opened = new Set<string>();
  const onRecord = new Set<string>();
  for await (const { event } of records) {
    if (event.type === 'order.requested') {
      onRecord.add(event.orderId);
      stops.set(event.orderId, { requested: event });
    }
    if (event.type === 'order.joined') stops.delete(event.orderId);
    if (event.type === 'release.requested' && event.hostId === hostId) releases.set(event.releaseId, event);
    if (event.type === 'gate.released') {
      releases.delete(event.releaseId);
      for (const orderId of event.orderIds) {
        opened.add(orderId);
        stops.delete(orderId);
      }
    }
    if (event.type !== 'order.settled') continue;
    const stop = stops.get(event.orderId);
    if (stop?.requested.opens === 'at-settle') stops.delete(event.orderId);
    else if (stop !== undefined) stop.settledAt = Date.parse(event.time);
  }
  return { onRecord, stops, releases, opened };
}
