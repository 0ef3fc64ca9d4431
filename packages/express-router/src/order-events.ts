import type { ServerEvent } from './http.ts';
import type { Block, OrderFeeds } from './order-feeds.ts';

/** A step may become known after later ones: clocks of hosts differ, and stores answer late. In milliseconds. */
const overlapMs = 10_000;

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
      const block = feed.blocks[next];
      if (block === undefined) {
        if (feed.settled) return;
        await feed.more(signal);
        continue;
      }
      next += 1;
      const wanted = wantedOf(block, from, lastEventId);
      if (wanted.length > 0) yield wanted;
    }
  } finally {
    feeds.leave(orderId);
  }
}

/** All of it as it stands, if all of it is wanted. */
function wantedOf(
  { events, times }: Block,
  from: number,
  lastEventId: string | undefined,
): readonly ServerEvent[] {
  const isWanted = ({ id }: ServerEvent, index: number): boolean =>
    (times[index] ?? 0) >= from && id !== lastEventId;
  return events.every(isWanted) ? events : events.filter(isWanted);
}
