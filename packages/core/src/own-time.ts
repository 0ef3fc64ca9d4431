import type { StopOrder } from './order.ts';
import type { Clock } from './ports/clock.ts';
import { nearest, type Urgency, urgencyOf } from './urgency.ts';

type Asked = Pick<StopOrder, 'orderId' | 'requestedAt' | keyof Urgency>;

/**
 * The deadlines of an order by this host's clock. They are times of the host that was asked: one whose clock is ahead, or that was
 * set right between two lives, would have its stop wait here for as long as it was ahead (I1). A request that is seen before
 * it was made tells by how much that is at least; so each deadline is as far from here as it was from the request, and never
 * later than it says. A clock that is behind makes its stops come early.
 */
export class OwnTime {
  readonly #clock: Clock;
  /** Per request how far its host's clock is ahead, in milliseconds, going by when it was first seen here. */
  readonly #ahead = new Map<string, number>();
  /** What was asked last: versions of an order never change, and one is asked for again and again. */
  #last: { readonly order: StopOrder; readonly due: Urgency } | undefined;

  /** `order`: as it is seen now, for the first time. */
  constructor(clock: Clock, order: StopOrder) {
    this.#clock = clock;
    this.of(order);
  }

  of(order: StopOrder): Urgency {
    if (this.#last?.order === order) return this.#last.due;
    let due = this.#one(order);
    // Each by the clock of the host that was asked for it.
    for (const by of order.hardenedBy ?? []) due = nearest(due, this.#one(by));
    this.#last = { order, due };
    return due;
  }

  #one(asked: Asked): Urgency {
    const { killAt, forceAt, deadlineAt } = urgencyOf(asked);
    const ahead = this.#aheadOf(asked);
    return { killAt: killAt - ahead, forceAt: forceAt - ahead, deadlineAt: deadlineAt - ahead };
  }

  #aheadOf({ orderId, requestedAt }: Asked): number {
    const known = this.#ahead.get(orderId);
    if (known !== undefined) return known;
    const ahead = Math.max(0, requestedAt - this.#clock.now());
    this.#ahead.set(orderId, ahead);
    return ahead;
  }
}
