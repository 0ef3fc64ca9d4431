import type { ServerEvent } from './http.ts';
import type { OrderFeeds } from './order-feeds.ts';

/** A step may become known after later ones: clocks of hosts differ, and stores answer late. In milliseconds. */
const overlapMs = 10_000;
/** So many are told at once. */
const mostAtOnce = 200;

/**
 * The steps of an order, made from what is stored of it, so that they are the same on every host and after a restart: all
 * so far, or those after `lastEventId` and of 10 s before it, then each as it is taken, until the order has settled. An
 * event's id names it: whoever hears one twice drops it.
 */
export async function* orderEvents(
  feeds: OrderFeeds,
  orderId: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly ServerEvent[]> {
  const from = Number(/^(\d{1,15})\./.exec(lastEventId ?? '')?.[1] ?? 0) - overlapMs;
  const feed = feeds.join(orderId);
  try {
    for (let next = 0; !signal.aborted; ) {
      const fresh = feed.told.slice(next, next + mostAtOnce);
      next += fresh.length;
      const wanted = fresh.filter(({ at, event }) => at >= from && event.id !== lastEventId);
      if (wanted.length > 0) yield wanted.map(({ event }) => event);
      if (fresh.length > 0) continue;
      if (feed.settled) return;
      await feed.more(signal);
    }
  } finally {
    feeds.leave(orderId);
  }
}
