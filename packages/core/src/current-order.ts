import type { Book } from './book.ts';
import type { Leases } from './leases.ts';
import type { StopOrder } from './order.ts';
import { membersOf } from './order-report.ts';
import { OwnTime } from './own-time.ts';
import { isHarder, placeOrder } from './place-order.ts';
import type { Clock } from './ports/clock.ts';
import type { Placement } from './ports/state-store.ts';
import { nearest, type Urgency } from './urgency.ts';

export interface CurrentOrderHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly leases: Leases;
  /** Some deadline may have come nearer. */
  readonly changed: () => void;
  /** The order, not placed yet, has joined one that another host has placed since. */
  readonly joined: (order: StopOrder, open: StopOrder) => void;
  /** Starts the run of an order that was taken in here and that the store has not been told of. */
  readonly goOn: (order: StopOrder) => void;
}

/**
 * An order as this host knows it: its newest version, and whether the store holds it.
 *
 * - unplaced: the store has not taken it, or has not said so; its gate is this host's to keep. Requests for the same stop
 *   are taken in here. Left when the store says that it holds the order, or another one for it to join.
 * - placed: from then on, unless the store loses it, and is known to have.
 */
export class CurrentOrder {
  readonly #host: CurrentOrderHost;
  readonly #time: OwnTime;
  #order: StopOrder;
  #isPlaced: boolean;
  /** The first request for the same since the order was tried to be placed, with the nearest deadlines of all of them. */
  #taken: StopOrder | undefined;
  /** The one that the store may hold it to have joined. */
  #mayHaveJoined: string | undefined;

  constructor(host: CurrentOrderHost, order: StopOrder, isPlaced: boolean) {
    this.#host = host;
    this.#time = new OwnTime(host.clock, order);
    this.#order = order;
    this.#isPlaced = isPlaced;
    if (!isPlaced) host.book.holdClaims(order.orderId);
  }

  get version(): StopOrder {
    return this.#order;
  }

  /** When its rungs are due, by this host's clock. */
  get urgency(): Urgency {
    return this.#time.of(this.#order);
  }

  get isPlaced(): boolean {
    return this.#isPlaced;
  }

  get isSettled(): boolean {
    return this.#order.settledAt !== undefined;
  }

  /** Whether it is this host's to settle: it took the request, or the order from a host that was silent. */
  get isOwn(): boolean {
    return this.#order.hostId === this.#host.hostId;
  }

  /** The store has lost its orders. Whether this one is to be placed anew: those of other hosts their hosts see to. */
  unplace(): boolean {
    if (!this.isOwn || this.isSettled) return false;
    this.#isPlaced = false;
    this.#host.book.holdClaims(this.#order.orderId);
    this.#host.changed();
    return true;
  }

  /** The store may have taken, without having said so, that this order has joined that one. */
  mayHaveJoined(orderId: string): void {
    this.#mayHaveJoined = orderId;
  }

  /** What the store was seen to hold, or made to. */
  become(order: StopOrder): void {
    this.#order = order;
  }

  /** Takes over a newer version, for example one with nearer deadlines. */
  update(order: StopOrder): void {
    if (order.revision <= this.#order.revision) return;
    this.#order = order;
    this.#host.changed();
  }

  /**
   * Takes in a request for the same stop while this order is not placed. The store may hold that without having said so,
   * and somebody may have released or settled it since: so the request stays one of its own, together with all that come
   * after it, until the store is there to join the two. Returns the order of the first of them.
   */
  take(order: StopOrder): StopOrder {
    this.#taken = this.#taken === undefined ? order : { ...this.#taken, ...nearest(this.#taken, order) };
    return this.#taken;
  }

  /** Takes over nearer deadlines (I7). */
  harden(by: StopOrder): void {
    const harder = { ...this.#order, ...nearest(this.#order, by) };
    if (!isHarder(harder, this.#order)) return;
    this.#order = harder;
    this.#host.changed();
  }

  /**
   * Places it; with the request that was taken in meanwhile the host goes on. `false`: the store held it already.
   * @throws StateUnavailableError
   */
  async place(): Promise<boolean> {
    // It may have been stored without an answer, and since then have been joined, released or settled by other hosts.
    const { book, joined } = this.#host;
    const { orderId } = this.#order;
    const stored = await book.ask('reading an order', (store) => store.getOrder(orderId));
    if (stored !== undefined) {
      this.#placedAs(orderId);
      this.update(stored);
      return false;
    }
    const joining = (open: StopOrder): void => this.mayHaveJoined(open.orderId);
    const placement = (await this.#joinedUnheard()) ?? (await placeOrder(book, this.#order, joining));
    const { orderId: placedAs } = placement.placed ? this.#order : placement.open;
    this.#placedAs(placedAs);
    if (!placement.placed && placedAs !== orderId) {
      // Another host asked for the same in the meantime: its order goes on, with what was done under this one.
      joined(this.#order, placement.open);
      this.#order = placement.open;
    }
    return true;
  }

  /**
   * An order whose owner is silent is taken over: of those who try one wins, and whatever the former owner still stores of
   * the order, late, is refused as made from an older revision. @throws StateUnavailableError.
   */
  async takeOver(): Promise<void> {
    const { book, hostId, leases } = this.#host;
    if (this.isSettled || !leases.isSilent(this.#order.hostId)) return;
    const mine = { ...this.#order, hostId, revision: this.#order.revision + 1 };
    if (await book.ask('taking over an order', (store) => store.swapOrder(mine))) {
      this.#order = mine;
      return;
    }
    const stored = await book.ask('reading an order', (store) => store.getOrder(mine.orderId));
    if (stored !== undefined) this.update(stored);
  }

  /**
   * The order that this one has joined without hearing so. Its host has put that on record: whatever has become of it since, it
   * is the answer to this request (I7), unless this host has claimed somebody for whom it came too late.
   * @throws StateUnavailableError
   */
  async #joinedUnheard(): Promise<Placement | undefined> {
    const { book } = this.#host;
    const orderId = this.#mayHaveJoined;
    if (orderId === undefined) return undefined;
    const open = await book.ask('reading an order', (store) => store.getOrder(orderId));
    if (!open?.hardenedBy?.some((by) => by.orderId === this.#order.orderId)) return undefined;
    const others = new Set(book.claimsBy(this.#order.orderId));
    if (others.size > 0) {
      for await (const members of membersOf(book, orderId))
        for (const { agentId } of members) others.delete(agentId);
    }
    return others.size === 0 ? { placed: false, open } : undefined;
  }

  #placedAs(orderId: string): void {
    this.#isPlaced = true;
    this.#host.book.releaseClaims(this.#order.orderId, orderId);
    if (this.#taken !== undefined) this.#host.goOn(this.#taken);
    this.#taken = undefined;
  }
}
