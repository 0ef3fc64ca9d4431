import { gateSeenReleased, orderRequested } from './audit-facts.ts';
import type { Book } from './book.ts';
import type { StopOrder } from './order.ts';
import type { GateChange, StateStore } from './ports/state-store.ts';
import type { Recorder } from './recorder.ts';

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

  constructor(host: GateCopiesHost) {
    this.#host = host;
  }

  /**
   * Takes copies of the gates that stand now and are not on record here, and keeps up from now on. `onRecord`: ids of the
   * orders that are. @throws StateUnavailableError.
   */
  async begin(onRecord: ReadonlySet<string>): Promise<void> {
    const { book } = this.#host;
    const place = (await this.#changes(undefined))?.place;
    for (const gate of await book.askAtLength('listing gates', (store) => store.listGates())) {
      if (gate.opens === 'at-settle' || onRecord.has(gate.orderId)) continue;
      const order = await book.ask('reading an order', (store) => store.getOrder(gate.orderId));
      if (order !== undefined) this.#keep([{ order, stands: true }]);
    }
    this.#place = place;
  }

  /** Takes copies of what has changed since the last look. @throws StateUnavailableError. */
  async look(): Promise<void> {
    for (let isMore = this.#place !== undefined; isMore; ) {
      const found = await this.#changes(this.#place);
      if (found === undefined) return;
      // What the recorder has no room for is asked for again in the next round.
      if (!this.#keep(found.changes)) return;
      this.#place = found.place;
      isMore = found.changes.length > 0;
    }
  }

  #changes(after: string | undefined): ReturnType<NonNullable<StateStore['gateChanges']>> | undefined {
    const { book } = this.#host;
    if (!book.tellsGateChanges) return undefined;
    return book.ask('listing changes of gates', async (store) => {
      if (store.gateChanges === undefined) throw new TypeError('gateChanges is gone');
      return store.gateChanges(after);
    });
  }

  #keep(changes: readonly GateChange[]): boolean {
    const { recorder, hostId } = this.#host;
    const opened = new Map<string, StopOrder[]>();
    for (const { order, stands } of changes) {
      const { releaseId } = order.released ?? {};
      if (stands) {
        if (order.hostId !== hostId && !recorder.offer(orderRequested(order, hostId))) return false;
      } else if (releaseId !== undefined) {
        opened.set(releaseId, [...(opened.get(releaseId) ?? []), order]);
      }
    }
    for (const orders of opened.values()) {
      const event = gateSeenReleased(orders, hostId);
      if (event !== undefined && !recorder.offer(event)) return false;
    }
    return true;
  }
}
