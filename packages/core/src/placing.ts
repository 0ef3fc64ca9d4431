import { orderJoined, orderRequested } from './audit-facts.ts';
import type { Book } from './book.ts';
import { isKillswitchError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { StopOrder } from './order.ts';
import { placeOrder } from './place-order.ts';
import type { Clock } from './ports/clock.ts';
import type { Placement } from './ports/state-store.ts';
import type { Recorder } from './recorder.ts';
import { scopeKey } from './scope.ts';
import type { StopRun } from './stop-run.ts';
import type { Beginning } from './stop-run-host.ts';
import { nearest } from './urgency.ts';

/** How long a stop waits for its request to be on record. */
const recordMs = 100;

export interface PlacingHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly recorder: Recorder;
  readonly events: GuardedEvents;
  /** The run of the same stop whose order the store has not taken yet. */
  readonly unplaced: (order: StopOrder) => StopRun | undefined;
  /** `met`: how many agents of its own this host had met before the store was told of the order. */
  readonly begin: (order: StopOrder, beginning: Beginning, met?: number) => StopRun;
}

/** One try to place an order, for everybody who asked for this stop before it began. */
interface Turn {
  /** The order of the first of them, with the nearest deadlines of all. */
  order: StopOrder;
  /** What the store said, `undefined` if nothing; `here`: a run that the store has not taken, and that is to be joined. */
  readonly answer: Promise<{
    readonly placement?: Placement | undefined;
    /** The order that the store may have taken this one to join, without having said so. */
    readonly unheard?: StopOrder | undefined;
    readonly here?: StopRun;
    /** When the store had said that. */
    readonly at: number;
    /** How many agents of its own this host had met before it was asked. */
    readonly met: number;
  }>;
  /** The run in which the order goes on, once its request is on record. */
  readonly run: Promise<StopRun>;
}

/**
 * Brings stops that are asked for into the store, onto the record, and under way. However often the same stop is asked
 * for, and however long the store is silent, it has one turn at the store, one that waits, and one run that the store
 * has not taken (I12).
 */
export class Placing {
  readonly #host: PlacingHost;
  /** Per stop the turn that began last, and the one that begins when that is through. */
  readonly #turns = new Map<string, Turn>();
  readonly #next = new Map<string, Turn>();
  /** Orders on their way into store, record and runs; and when each is through. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(host: PlacingHost) {
    this.#host = host;
  }

  /** Whether the order is on its way here: nobody has to find it. */
  has(orderId: string): boolean {
    return this.#underWay.has(orderId);
  }

  /** Waits until the order, if it is on its way here, has a run: whether the store has taken it is known then. Never rejects. */
  async through(orderId: string): Promise<void> {
    await this.#underWay.get(orderId)?.catch(() => undefined);
  }

  /**
   * Places an order, puts it on record, and starts its run. The store comes first: an order that a crash keeps off the
   * record is found open there and told at the next start, while one on record alone would be nobody's to resume.
   * If the same stop is open already, the order joins it: its nearer deadlines are taken over (I7). If the store is
   * down, the run starts with what this host reaches.
   */
  async place(order: StopOrder): Promise<StopRun> {
    const unplaced = this.#host.unplaced(order);
    if (unplaced !== undefined) return this.#joinHere(order, unplaced);
    const turn = this.#turnFor(order);
    const { placement, here } = await turn.answer;
    if (here !== undefined) return this.#joinHere(order, here);
    if (turn.order.orderId === order.orderId) return turn.run;
    await this.#record(order, placement?.placed === false ? placement.open : turn.order);
    return turn.run;
  }

  /** A turn that has not begun yet: whatever the store answers to one that has may be older than this request. */
  #turnFor(order: StopOrder): Turn {
    const key = stopKey(order);
    const waiting = this.#next.get(key);
    if (waiting !== undefined) {
      waiting.order = { ...waiting.order, ...nearest(waiting.order, order) };
      return waiting;
    }
    const before = this.#turns.get(key);
    const answer = this.#ask(key, before?.run, () => turn);
    const turn: Turn = { order, answer, run: answer.then(async (answered) => this.#begin(turn, answered)) };
    if (before === undefined) this.#turns.set(key, turn);
    else this.#next.set(key, turn);
    const done = (): void => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    };
    turn.run.then(done, done);
    return turn;
  }

  async #ask(
    key: string,
    before: Promise<unknown> | undefined,
    turnOf: () => Turn,
  ): Promise<Awaited<Turn['answer']>> {
    // Whatever became of that.
    await before?.catch(() => undefined);
    const turn = turnOf();
    this.#turns.set(key, turn);
    if (this.#next.get(key) === turn) this.#next.delete(key);
    const here = this.#host.unplaced(turn.order);
    const { clock } = this.#host;
    const { met } = this.#host.book;
    if (here !== undefined) return { here, at: clock.now(), met };
    this.#underWay.set(turn.order.orderId, turn.run);
    return { ...(await this.#tryToPlace(turn.order)), at: clock.now(), met };
  }

  async #begin(
    { order }: Turn,
    { placement, unheard, here, at, met }: Awaited<Turn['answer']>,
  ): Promise<StopRun> {
    if (here !== undefined) return here;
    try {
      const open = placement?.placed === false ? placement.open : undefined;
      const isTold = await this.#record(order, open);
      const { begin, hostId } = this.#host;
      const run =
        placement === undefined
          ? begin(order, 'unplaced')
          : begin(open ?? order, open === undefined ? 'placed' : 'found', met);
      // Before the order settles it is told again (I4).
      if (!isTold && open === undefined) run.record(orderRequested(order, hostId));
      if (unheard !== undefined) run.mayHaveJoined(unheard.orderId);
      if (placement === undefined) return run;
      if (open !== undefined) run.update(open);
      if (this.#hasLetIn(order, at)) run.outlived();
      return run;
    } finally {
      this.#underWay.delete(order.orderId);
    }
  }

  /** Whether the store has let somebody in whom the gate should have barred: it has been opened again meanwhile (I9). */
  #hasLetIn({ scope }: StopOrder, since: number): boolean {
    return this.#host.book.ownIn(scopeKey(scope)).some(({ spawnedAt }) => spawnedAt > since);
  }

  /** The store is told of the first who joins and of the nearest deadlines of all, after the order that they join. */
  async #joinHere(order: StopOrder, run: StopRun): Promise<StopRun> {
    const first = run.take(order);
    await this.#record(order, first.orderId === order.orderId ? undefined : first);
    run.harden(order);
    return run;
  }

  async #tryToPlace(order: StopOrder): Promise<Pick<Awaited<Turn['answer']>, 'placement' | 'unheard'>> {
    let unheard: StopOrder | undefined;
    try {
      const placement = await placeOrder(this.#host.book, order, (open) => {
        unheard = open;
      });
      if (placement.placed) this.#step('placed', order);
      return { placement };
    } catch (error) {
      if (!isKillswitchError(error, 'state-unavailable')) throw error;
      return { unheard };
    }
  }

  /** Durable before anything irreversible, or 100 ms tried. `false`: there is no room for it. */
  async #record(order: StopOrder, joined: StopOrder | undefined): Promise<boolean> {
    const { recorder, hostId } = this.#host;
    // At once: a host that starts and reads that it was requested, and not that it has joined, puts it back as lost.
    const joining = joined === undefined ? [] : [orderJoined(order, joined, hostId)];
    const isTold = recorder.record(orderRequested(order, hostId), ...joining);
    await recorder.flush(recordMs);
    this.#step('requested', order);
    return isTold;
  }

  #step(step: 'placed' | 'requested', order: StopOrder): void {
    const { events, clock } = this.#host;
    events.emit('step', { step, order, at: clock.now() });
  }
}

/** What two orders have in common that are for the same stop: the one that comes later joins the other (I7). */
export function stopKey({ opens, scope }: StopOrder): string {
  return `${opens} ${scopeKey(scope)}`;
}
