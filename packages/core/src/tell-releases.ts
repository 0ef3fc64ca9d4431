import type { AuditEvent } from './audit-event.ts';
import { gateReleased } from './audit-facts.ts';
import type { Book } from './book.ts';
import type { StopOrder } from './order.ts';
import type { Recorder } from './recorder.ts';
import { scopeKey } from './scope.ts';

export type ReleaseRequested = Extract<AuditEvent, { type: 'release.requested' }>;

export interface TellReleasesHost {
  readonly book: Book;
  readonly recorder: Recorder;
}

/**
 * Puts releases on record that have opened their gates although nobody was told so: the store did not answer, or the
 * process ended (I4). Returns the ids of those it told of; the gates of the others still stand, or another release has
 * opened them. `opened`: orders whose release is on record.
 * @throws StateUnavailableError
 */
export async function tellReleases(
  { book, recorder }: TellReleasesHost,
  releases: Iterable<ReleaseRequested>,
  opened: ReadonlySet<string>,
): Promise<string[]> {
  const told: string[] = [];
  for (const requested of releases) {
    // A release is of gates on its very scope.
    const key = scopeKey(requested.scope);
    const gates = await book.ask('listing gates', (store) => store.listGates(key));
    const standing = new Set(gates.map(({ orderId }) => orderId));
    const orderIds: string[] = [];
    let mark: StopOrder['released'];
    for (const orderId of requested.orderIds) {
      if (standing.has(orderId) || opened.has(orderId)) continue;
      const order = await book.ask('reading an order', (store) => store.getOrder(orderId));
      if (order?.released?.releaseId !== requested.releaseId) continue;
      mark = order.released;
      orderIds.push(orderId);
    }
    if (mark === undefined) continue;
    const isTold = recorder.offer(gateReleased(requested, mark.at, orderIds, mark.approvedBy));
    if (isTold) told.push(requested.releaseId);
  }
  return told;
}
