import { gateSeenReleased, orderRequested } from './audit-facts.ts';
import type { Book } from './book.ts';
import type { Gate } from './gate.ts';
import type { StopOrder } from './order.ts';
import type { GateChange, StateStore } from './ports/state-store.ts';
import type { Recorder } from './recorder.ts';

/** So many orders are read at once. */
const mostReads = 100;
/** How long the recorder may take to make room. */
const roomMs = 1_000;

export interface GateCopiesHost {
  readonly hostId: string;
  readonly book: Book;
  readonly recorder: Recorder;
}

/**
 * Keeps on this host's own record the lasting gates that it sees, whoever shut them, and who opened them: what the store
 * loses, any host puts back that has seen it (I1, I9). A copy is the very event of the host that took the stop, under the
 * same id, so that hosts with one sink have it once.
 */
export class GateCopies {
  readonly #host: GateCopiesHost;
  /** Up to where the store's gates are on record here. */
  #place: string | undefined;
  /** Ids of orders whose gates stood at the beginning and are not on record here yet. */
  #missing: string[] = [];

  constructor(host: GateCopiesHost) {
    this.#host = host;
  }

  /**
   * Takes copies of the gates that stand now and are not on record here, and keeps up from now on. `onRecord`: ids of the
   * orders that are. `book`: of the state that is to be read. Resolves with all gates that stand. @throws StateUnavailableError.
   */
  async begin(onRecord: ReadonlySet<string>, book: Book = this.#host.book): Promise<readonly Gate[]> {
    const place = (await changesOf(book, undefined))?.place;
    const gates = await book.askAtLength('listing gates', (store) => store.listGates());
    this.#missing = gates.flatMap(({ orderId, opens }) =>
      opens === 'at-settle' || onRecord.has(orderId) ? [] : orderId,
    );
    await this.#copyMissing(book);
    this.#place = place;
    return gates;
  }

  /** Takes as many copies as the recorder has room for; the others wait for the next look. */
  async #copyMissing(book: Book): Promise<void> {
    while (this.#missing.length > 0) {
      const ids = this.#missing.slice(0, mostReads);
      const orders = await Promise.all(
        ids.map((id) => book.ask('reading an order', (store) => store.getOrder(id))),
      );
      const changes = orders.flatMap((order) => (order === undefined ? [] : { order, stands: true }));
      if (this.#keep(changes)) this.#missing.splice(0, ids.length);
      else if (!(await this.#host.recorder.flush(roomMs))) return;
    }
  }

  /** Takes copies of what has changed since the last look. @throws StateUnavailableError. */
  async look(): Promise<void> {
    const { book } = this.#host;
    await this.#copyMissing(book);
    for (let isMore = this.#place !== undefined; isMore; ) {
      const found = await changesOf(book, this.#place);
      if (found === undefined) return;
      // What the recorder has no room for is asked for again in the next round.
      if (!this.#keep(found.changes)) return;
      this.#place = found.place;
      isMore = found.changes.length > 0;
    }
  }

  #keep(changes: readonly GateChange[]): boolean {
    const { recorder, hostId } = this.#host;
    const opened = new Map<string, StopOrder[]>();
    for (const { order, stands } of changes) {
      const { releaseId } = order.released ?? {};
      if (stands) {
        if (order.hostId !== hostId && !recorder.copy(orderRequested(order, hostId))) return false;
      } else if (releaseId !== undefined) {
        opened.set(releaseId, [...(opened.get(releaseId) ?? []), order]);
      }
    }
    for (const orders of opened.values()) {
      const event = gateSeenReleased(orders, hostId);
      if (event !== undefined && !recorder.copy(event)) return false;
    }
    return true;
  }
}

function changesOf(
  book: Book,
  after: string | undefined,
): ReturnType<NonNullable<StateStore['gateChanges']>> | undefined {
  if (!book.tellsGateChanges) return undefined;
  return book.ask('listing changes of gates', async (store) => {
    if (store.gateChanges === undefined) throw new TypeError('gateChanges is gone');
    return store.gateChanges(after);
  });
}
