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

/** In whatever order the facts come: sinks with several chains, and hosts that copy from each other, keep none between them. */
export async function recall(
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  hostId: string,
): Promise<Recalled> {
  const stops = new Map<string, { requested: Of<'order.requested'>; settledAt?: number }>();
  const releases = new Map<string, ReleaseRequested>();
  const opened = new Set<string>();
  const onRecord = new Set<string>();
  const joined = new Set<string>();
  const ended = new Set<string>();
  /** Of orders that are not on record as requested yet. */
  const settled = new Map<string, number>();
  const settle = (orderId: string, at: number): void => {
    const stop = stops.get(orderId);
    if (stop?.requested.opens === 'at-settle') stops.delete(orderId);
    else if (stop !== undefined) stop.settledAt = at;
    else if (!onRecord.has(orderId)) settled.set(orderId, at);
  };
  for await (const { event } of records) {
    switch (event.type) {
      case 'order.requested': {
        const { orderId } = event;
        if (onRecord.has(orderId)) break;
        onRecord.add(orderId);
        if (joined.has(orderId) || opened.has(orderId)) break;
        stops.set(orderId, { requested: event });
        const settledAt = settled.get(orderId);
        if (settledAt !== undefined) settle(orderId, settledAt);
        break;
      }
      case 'order.joined':
        joined.add(event.orderId);
        stops.delete(event.orderId);
        break;
      case 'order.settled':
        settle(event.orderId, Date.parse(event.time));
        break;
      case 'release.requested':
        if (event.hostId === hostId && !ended.has(event.releaseId)) releases.set(event.releaseId, event);
        break;
      case 'gate.released':
        ended.add(event.releaseId);
        releases.delete(event.releaseId);
        for (const orderId of event.orderIds) {
          opened.add(orderId);
          stops.delete(orderId);
        }
    }
  }
  return { onRecord, stops, releases, opened };
}
