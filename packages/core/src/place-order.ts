import type { Book } from './book.ts';
import { isKillswitchError } from './errors.ts';
import type { StopOrder } from './order.ts';
import type { Placement } from './ports/state-store.ts';
import { nearest } from './urgency.ts';

/**
 * Places an order, or joins the open one for the same: its nearer deadlines are taken over (I7).
 * @throws StateUnavailableError
 */
export async function placeOrder(book: Book, order: StopOrder): Promise<Placement> {
  for (;;) {
    const placement = await book.ask('placing an order', (store) => store.placeOrder(order));
    if (placement.placed || placement.open.orderId === order.orderId) return placement;
    const open = await join(book, placement.open, order);
    if (open !== undefined) return { placed: false, open };
  }
}

/**
 * The joined order as it is stored now; `undefined` if its gate may have been opened since, so that nobody can join it.
 * Also if nothing gets nearer, an order that a release could open is stored anew: a release on its way must notice (I9).
 */
async function join(book: Book, open: StopOrder, by: StopOrder): Promise<StopOrder | undefined> {
  const isReleasable = open.opens === 'on-release';
  try {
    for (let order = open; ; ) {
      const next = { ...order, ...nearest(order, by), revision: order.revision + 1 };
      if (!isReleasable && !isHarder(next, order)) return order;
      if (await book.ask('joining an order', (store) => store.swapOrder(next))) return next;
      const stored = await book.ask('reading an order', (store) => store.getOrder(open.orderId));
      if (stored === undefined || stored.revision <= order.revision) return order;
      if (stored.settledAt !== undefined || stored.released !== undefined)
        return isReleasable ? undefined : stored;
      order = stored;
    }
  } catch (error) {
    // Without the store the order in flight keeps its own deadlines.
    if (isKillswitchError(error, 'state-unavailable')) return open;
    throw error;
  }
}

function isHarder(next: StopOrder, order: StopOrder): boolean {
  return next.killAt < order.killAt || next.forceAt < order.forceAt || next.deadlineAt < order.deadlineAt;
}
