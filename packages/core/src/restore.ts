import type { AuditRecord } from './audit-chain.ts';
import type { AuditEvent } from './audit-event.ts';
import { orderJoined } from './audit-facts.ts';
import type { Book } from './book.ts';
import { withDeadline } from './deadline.ts';
import { AuditUnavailableError, describeError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { Gate } from './gate.ts';
import type { GateCopies } from './gate-copies.ts';
import type { Leases } from './leases.ts';
import type { StopOrder } from './order.ts';
import { stopKey } from './placing.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Clock } from './ports/clock.ts';
import { type Recalled, recall, recalledTypes } from './recall.ts';
import type { Recorder } from './recorder.ts';
import { tellReleases } from './tell-releases.ts';

/** A long record takes a while; one that hangs must not keep a host from starting. */
const readMs = 60_000;
const flushMs = 1_000;
/** So many stops are looked up or put back at once. */
const mostAtOnce = 100;

export interface RestoreHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly sink: AuditSink;
  readonly recorder: Recorder;
  readonly events: GuardedEvents;
  readonly copies: GateCopies;
  readonly leases: Pick<Leases, 'hasRunOut'>;
}

/**
 * Brings the record and the state store together at a host's start, where the end of its earlier life left one behind
 * the other. A stop that the store has lost is put back by every host that has it on its record, whoever asked for it.
 * @throws StateUnavailableError. A record that cannot be read is a `warning`: the state store alone has to do.
 */
export async function restore(host: RestoreHost): Promise<void> {
  const recalled = await recallRecord(host);
  if (recalled !== undefined) {
    await restoreStops(host, recalled);
    await tellReleases(host, recalled.releases.values(), recalled.opened);
  }
  // What is on record after all is dropped there by its id.
  await host.copies.begin(recalled?.onRecord ?? new Set());
}

/**
 * Puts back into a state that has taken the place of a lost one, while this host runs, the stops that are on record. Unlike a
 * start it leaves it at that if the record cannot be read: nobody is let in here until it can. `host.book`: of the new state.
 * Resolves with the gates that stand there, but for those that were opened as far as this host knows.
 * @throws StateUnavailableError, or whatever kept the record from being read.
 */
export async function putBackStops(host: RestoreHost): Promise<Gate[]> {
  const { sink, clock, hostId, recorder, copies, book } = host;
  // What is not there yet cannot be read there.
  if (!(await recorder.flush(flushMs))) throw new AuditUnavailableError('The record is not complete');
  const recalled = await withDeadline(clock, 'reading the audit record', readMs, () =>
    recall(sink.read({ types: recalledTypes }), hostId),
  );
  await restoreStops(host, recalled);
  const gates = await copies.begin(recalled.onRecord, book);
  return gates.filter(({ orderId }) => !recalled.opened.has(orderId));
}

/** Of a record that cannot be read, what stands on this host: little, but the newest. */
async function recallRecord({ sink, events, clock, hostId }: RestoreHost): Promise<Recalled | undefined> {
  const types = recalledTypes;
  const within = (what: string, records: () => AsyncIterable<AuditRecord>) =>
    withDeadline(clock, what, readMs, () => recall(records(), hostId));
  const whole = () => within('reading the audit record', () => sink.read({ types }));
  try {
    return await whole();
  } catch (error) {
    const { readUndelivered } = sink;
    const own =
      readUndelivered &&
      (await within('reading what is undelivered', () => readUndelivered.call(sink, { types })).catch(() =>
        // It may have been delivered under the reader's hands.
        whole().catch(() => undefined),
      ));
    const compared = own === undefined ? 'not' : 'only as far as it is on this host';
    events.emit('warning', {
      message: `The record was ${compared} compared with the state store: ${describeError(error)}`,
    });
    return own;
  }
}

/**
 * Puts stops back into the state store that stand on the record but not there: the store was down when they were asked
 * for and the process ended before it was back, or the store was lost. Of two copies the one that says stopped wins.
 */
async function restoreStops(host: RestoreHost, { stops }: Recalled): Promise<void> {
  const { book, events } = host;
  const lost = await lostOf(book, stops);
  if (lost.length === 0) return;
  // While that was looked up, a host that lives may have had its own order join another, and put that on record.
  const now = (await recallRecord(host))?.stops ?? stops;
  const putBack = async (order: StopOrder): Promise<void> => {
    const stop = now.get(order.orderId);
    if (stop === undefined) return;
    // At once as settled, if it was: nobody has to look through its scope once more.
    const { settledAt } = stop;
    const back = settledAt === undefined ? order : { ...order, settledAt };
    const placement = await book
      .ask('restoring an order', (store) => store.placeOrder(back))
      .catch(async (error: unknown) => {
        // Another host that has it on its record was faster: its id is taken.
        const there = await book.ask('reading an order', (store) => store.getOrder(order.orderId));
        if (there === undefined) throw error;
        return undefined;
      });
    if (placement === undefined) return;
    // Else the next start would find it on record only once more, and carry it out when that other one is long over (I9).
    // Another host that lives may be about to place its own: what becomes of that, and of a gate that lasts, is its to say.
    const isOver = order.opens === 'at-settle' && host.leases.hasRunOut(order.hostId);
    const isOurs = order.hostId === host.hostId || isOver;
    if (isOurs && !placement.placed && placement.open.orderId !== order.orderId)
      host.recorder.record(orderJoined(order, placement.open, host.hostId));
    events.emit('warning', { message: `Stop order "${order.orderId}" was on record only: it is restored` });
  };
  for (const part of partsOf(lost)) await Promise.all(part.map(putBack));
}

/** Of two for the same stop the second would join the first that is not settled yet: they come one after the other. */
function* partsOf(orders: readonly StopOrder[]): Generator<StopOrder[]> {
  let part = new Map<string, StopOrder>();
  for (const order of orders) {
    if (part.size === mostAtOnce || part.has(stopKey(order))) {
      yield [...part.values()];
      part = new Map();
    }
    part.set(stopKey(order), order);
  }
  yield [...part.values()];
}

/** Orders that are on record and that the store does not know. */
async function lostOf(book: Book, stops: Recalled['stops']): Promise<StopOrder[]> {
  if (stops.size === 0) return [];
  const gates = await book.askAtLength('listing gates', (store) => store.listGates());
  const standing = new Set(gates.map(({ orderId }) => orderId));
  const doubtful = [...stops.values()].flatMap(({ requested }) =>
    standing.has(requested.orderId) ? [] : orderOf(requested),
  );
  const lost: StopOrder[] = [];
  for (let at = 0; at < doubtful.length; at += mostAtOnce) {
    const part = doubtful.slice(at, at + mostAtOnce);
    const stored = await Promise.all(
      part.map(({ orderId }) => book.ask('reading an order', (store) => store.getOrder(orderId))),
    );
    lost.push(...part.filter((_, n) => stored[n] === undefined));
  }
  return lost;
}

function orderOf(requested: Extract<AuditEvent, { type: 'order.requested' }>): StopOrder {
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
