import type { Book } from './book.ts';
import { type Hardener, mostHardeners, type StopOrder } from './order.ts';
import type { Placement } from './ports/state-store.ts';
import { asPlacement } from './store-answers.ts';
import { nearest } from './urgency.ts';

/**
 * Places an order, or joins the open one for the same: its nearer deadlines are taken over (I7). `joining` is told before it
 * is stored as joined.
 * @throws StateUnavailableError, also if the open one was found and could not be joined: it may be over by now, and then
 *   its gate bars nobody. The order is then one that is not placed yet, with a gate of its own on this host.
 */
export async function placeOrder(
  book: Book,
  order: StopOrder,
  joining: (open: StopOrder) => void,
): Promise<Placement> {
  for (;;) {
    const placement = await book.ask('placing an order', (store) => store.placeOrder(order), asPlacement);
    if (placement.placed || placement.open.orderId === order.orderId) return placement;
    const open = await join(book, placement.open, order, joining);
    if (open !== undefined) return { placed: false, open };
  }
}

/**
 * The joined order as it is stored now; `undefined` if its gate may have been opened since, so that nobody can join it.
 * Also if nothing gets nearer, an order that a release could open is stored anew: a release on its way must notice (I9).
 */
async function join(
  book: Book,
  open: StopOrder,
  by: StopOrder,
  joining: (open: StopOrder) => void,
): Promise<StopOrder | undefined> {
  const isReleasable = open.opens === 'on-release';
  for (let order = open; ; ) {
    const hardened = hardenedBy(order, by);
    const next = isReleasable ? { ...hardened, joins: (order.joins ?? 0) + 1 } : hardened;
    if (!isReleasable && !isHarder(next, order)) return order;
    joining(open);
    if (await book.ask('joining an order', (store) => store.swapOrder(next))) return next;
    const stored = await book.ask('reading an order', (store) => store.getOrder(open.orderId));
    if (stored === undefined || stored.revision <= order.revision) return order;
    if (stored.settledAt !== undefined || stored.released !== undefined)
      return isReleasable ? undefined : stored;
    order = stored;
  }
}

function hardenedBy(order: StopOrder, by: StopOrder): StopOrder {
  const next = { ...order, ...nearest(order, by), revision: order.revision + 1 };
  if (!isHarder(next, order) && !endsGrace(order, by)) return next;
  const { orderId, hostId, principal, reason, policyVersion, requestedAt, killAt, forceAt, deadlineAt } = by;
  const who = { orderId, hostId, principal, reason, policyVersion };
  const hardener: Hardener = { ...who, requestedAt, killAt, forceAt, deadlineAt };
  return { ...next, hardenedBy: [...(order.hardenedBy ?? []), hardener].slice(-mostHardeners) };
}

/** Whether it is the first without grace. By the times alone a kill can seem to be the later one: clocks of hosts differ. */
function endsGrace(order: StopOrder, by: StopOrder): boolean {
  const asked = [order, ...(order.hardenedBy ?? [])];
  return by.killAt <= by.requestedAt && asked.every(({ requestedAt, killAt }) => killAt > requestedAt);
}

/** Whether a version of an order is harder than another one: some deadline is nearer, or somebody has ended its grace. */
export function isHarder(next: StopOrder, order: StopOrder): boolean {
  return (
    next.killAt < order.killAt ||
    next.forceAt < order.forceAt ||
    next.deadlineAt < order.deadlineAt ||
    next.hardenedBy !== order.hardenedBy
  );
}
