import { orderSettled } from './audit-facts.ts';
import type { Book } from './book.ts';
import type { CurrentOrder } from './current-order.ts';
import type { Kills } from './kills.ts';
import type { Leases } from './leases.ts';
import type { StopOrder } from './order.ts';
import type { OrderRecord } from './order-record.ts';
import { type KilledOrKilling, membersOf } from './order-report.ts';
import type { Clock } from './ports/clock.ts';
import type { Recorder } from './recorder.ts';

const durableMs = 1_000;

export interface SettlementHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly recorder: Recorder;
  readonly leases: Leases;
  readonly order: CurrentOrder;
  readonly record: OrderRecord;
  readonly kills: Kills;
  /** What lives under the order although its record is closed. */
  readonly late: (order: StopOrder) => readonly string[];
  /** The order may settle after one more look at its scope, now. */
  readonly again: () => void;
  /** This host has settled it. */
  readonly settled: () => void;
}

/**
 * The end of one order whose scope was just seen empty: everybody it claimed is dead on record and was cleaned up, then
 * the settlement is durable on record, then in state (decision 006). Nothing of it is final before the last step.
 */
export class Settlement {
  readonly #host: SettlementHost;
  /** When the order was last seen as it is in the store. */
  #seenAt: number;
  #settledAt: number | undefined;
  #members: readonly KilledOrKilling[] | undefined;

  constructor(host: SettlementHost) {
    this.#host = host;
    this.#seenAt = host.clock.now();
  }

  /** Once this host has settled it, everybody whom the order has killed, as they were then. */
  get members(): readonly KilledOrKilling[] | undefined {
    return this.#members;
  }

  /** Whether the order is over here: settled, by this host if it owns the order. @throws StateUnavailableError. */
  async end(): Promise<boolean> {
    const { order, leases } = this.#host;
    // A host that was silent, or cut off, has to look first whether it still has a say.
    if (!order.isOwn || !leases.isHeardSince(this.#seenAt)) {
      const stored = await this.#read();
      // One that the store does not know is nobody's.
      if (stored === undefined || stored.settledAt !== undefined) return true;
    }
    return order.isOwn && this.#settle();
  }

  async #settle(): Promise<boolean> {
    const { book, record, recorder, order, kills } = this.#host;
    if (this.#host.late(order.version).length > 0) return false;
    if (book.untold > 0) await book.tell();
    if (book.untold > 0) return false;
    const members = await this.#count();
    if (members === undefined) return false;
    // Who saw it may have died before it could say so; or it never ran, which its host knew without a look.
    // And only an empty listing right before counts: look again at what came while the cleanup was going on.
    if (!record.isComplete || (await kills.wereCleaning())) {
      this.#host.again();
      return false;
    }
    const settledAt = this.#tell(members.length);
    // Settled on record first, then in state: an order is never forgotten before its record is durable (I4).
    if (settledAt === undefined || !(await recorder.flush(durableMs))) return false;
    const settled = { ...order.version, revision: order.version.revision + 1, settledAt };
    if (!(await book.ask('settling an order', (store) => store.swapOrder(settled)))) {
      const stored = await this.#read();
      return stored?.settledAt !== undefined;
    }
    order.become(settled);
    this.#members = members;
    this.#host.settled();
    return true;
  }

  async #read(): Promise<StopOrder | undefined> {
    const { book, order, clock } = this.#host;
    const at = clock.now();
    const stored = await book.ask('reading an order', (store) => store.getOrder(order.version.orderId));
    this.#seenAt = at;
    if (stored !== undefined) order.become(stored);
    return stored;
  }

  /** Everybody whom the order has killed; `undefined` as long as one of them is not dead. Cleans up after them. */
  async #count(): Promise<readonly KilledOrKilling[] | undefined> {
    const { book, record, kills, order } = this.#host;
    const members: KilledOrKilling[] = [];
    for await (const page of membersOf(book, order.version.orderId)) {
      for (const agent of page) {
        if (!record.has(order.version, agent)) record.doubt();
        // The listing of the scope was older than the claim, and a released order counts only whom it has claimed.
        if (agent.status !== 'killed') return undefined;
        members.push(agent);
        kills.cleanUp(agent);
      }
    }
    return members;
  }

  /** When it has settled, the same at every try; `undefined` if the recorder has no room for that. */
  #tell(total: number): number | undefined {
    const { record, clock, hostId, order } = this.#host;
    record.addHardeners(order.version);
    if (this.#settledAt !== undefined) return this.#settledAt;
    const settledAt = clock.now();
    record.add(orderSettled(order.version, hostId, settledAt, total, total));
    if (record.isComplete) this.#settledAt = settledAt;
    return this.#settledAt;
  }
}
