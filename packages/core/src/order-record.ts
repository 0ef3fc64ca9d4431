import type { AuditEvent } from './audit-event.ts';
import { agentKilled, agentUnconfirmed, hardenersOf, orderRequested } from './audit-facts.ts';
import type { Book } from './book.ts';
import { withDeadline } from './deadline.ts';
import type { StopOrder } from './order.ts';
import { type KilledOrKilling, membersOf } from './order-report.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Clock } from './ports/clock.ts';
import type { Recorder } from './recorder.ts';

const durableMs = 1_000;
const readMs = 10_000;

export interface OrderRecordHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly recorder: Recorder;
  readonly sink: AuditSink;
}

/** What one run has put on record of its order: each fact that follows from stored state once (I4). */
export class OrderRecord {
  readonly #host: OrderRecordHost;
  /** Event ids already on record, of an order that was found open. */
  #onRecord: ReadonlySet<string> = new Set();
  #isComplete: boolean;
  #wasOwn: boolean;
  /** Ids of agents whose death this run has put on record. */
  readonly #dead = new Set<string>();
  /** Ids of agents that this run has put on record as not confirmed dead. */
  readonly #unconfirmed = new Set<string>();

  /** Ids of the facts that somebody has brought a deadline nearer, that this run has put on record. */
  readonly #hardeners = new Set<string>();

  /** `isOwn`: whether the order is this host's to settle; `isFound`: whether it was found open, after an earlier life of its own. */
  constructor(host: OrderRecordHost, isOwn: boolean, isFound: boolean) {
    this.#host = host;
    this.#isComplete = !isFound || !isOwn;
    this.#wasOwn = isOwn;
  }

  /** Whether all that follows from stored state was given to the recorder, as far as is known. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Something may have come about that nobody here was told of. */
  doubt(): void {
    this.#isComplete = false;
  }

  /**
   * Whether the order is this host's to settle now. One that was taken over, also by joining another host's, may have done more
   * than is on record: what that host could not tell is this one's to tell.
   */
  ownedHere(isOwn: boolean): void {
    if (isOwn && !this.#wasOwn) this.doubt();
    this.#wasOwn = isOwn;
  }

  /** Puts an event that follows from stored state on the record, unless the order's earlier life did. */
  add(event: AuditEvent): void {
    if (event.type === 'agent.killed') this.#dead.add(event.agentId);
    if (event.type === 'agent.unconfirmed') this.#unconfirmed.add(event.agentId);
    // What the recorder has no room for is told again from the state before the order settles.
    if (!this.#onRecord.has(event.id) && !this.#host.recorder.offer(event)) this.#isComplete = false;
  }

  /** Puts on record who has brought the order's deadlines nearer, once each, both facts of one in one batch. */
  addHardeners(order: StopOrder): void {
    const { hostId, recorder } = this.#host;
    for (const [requested, joined] of hardenersOf(order, hostId)) {
      if (this.#hardeners.has(joined.id)) continue;
      if (recorder.offer(requested, joined)) this.#hardeners.add(joined.id);
      else this.#isComplete = false;
    }
  }

  /** Whether this run has put on record what became of an agent that its order claimed. */
  has({ orderId }: StopOrder, { agentId, status, kill }: KilledOrKilling): boolean {
    if (kill.orderIds[0] !== orderId) return true;
    if (kill.unconfirmedAt !== undefined && !this.#unconfirmed.has(agentId)) return false;
    return status !== 'killed' || this.#dead.has(agentId);
  }

  /**
   * Puts on record what follows from stored state and is not there yet. `false`: not all of it could be told, or the
   * recorder does not get on. @throws StateUnavailableError, DeadlineError, or whatever reading the record rejects with.
   */
  async complete(order: StopOrder, isOwn: boolean): Promise<boolean> {
    const { hostId, clock, recorder, book } = this.#host;
    if (!(await recorder.flush(durableMs))) return false;
    this.#onRecord = await withDeadline(clock, 'reading the audit record', readMs, () => this.#read(order));
    this.#isComplete = true;
    if (isOwn) {
      this.add(orderRequested(order, hostId));
      this.addHardeners(order);
    }
    for await (const page of membersOf(book, order.orderId)) {
      for (const agent of page) {
        if (agent.kill.orderIds[0] !== order.orderId) continue;
        if (agent.kill.unconfirmedAt !== undefined) this.add(agentUnconfirmed(order, agent, hostId));
        if (agent.status === 'killed') this.add(agentKilled(order, agent, hostId));
      }
      await recorder.flush(durableMs);
      if (!this.#isComplete) return false;
    }
    return true;
  }

  async #read({ orderId }: StopOrder): Promise<Set<string>> {
    const ids = new Set<string>();
    for await (const { event } of this.#host.sink.read({ orderId })) ids.add(event.id);
    return ids;
  }
}
