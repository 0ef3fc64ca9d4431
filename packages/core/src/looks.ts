import type { Book } from './book.ts';
import type { CurrentOrder } from './current-order.ts';
import type { Kills } from './kills.ts';
import { scopeKey } from './scope.ts';
import { claimOwn, type Swept, sweep } from './sweep.ts';

/** The looks of one host for who is in the scope of an open order: each claims whom it finds, and hands them to the kills. */
export class Looks {
  readonly #book: Book;
  readonly #order: CurrentOrder;
  readonly #kills: Kills;
  #met: number | undefined;
  #isOutlived = false;

  /** `met`: see {@link claimOwn}; for the first look only. */
  constructor(book: Book, order: CurrentOrder, kills: Kills, met: number | undefined) {
    this.#book = book;
    this.#order = order;
    this.#kills = kills;
    this.#met = met;
  }

  /** Whom perhaps only this host reaches is not kept waiting for the listing of all the others. @throws StateUnavailableError */
  async own(): Promise<void> {
    const met = this.#met;
    this.#met = undefined;
    await claimOwn(this.#book, this.#order.version, met, (swept) => this.#take(swept));
  }

  /**
   * One look through the whole scope. Returns how many live agents it listed that are this order's to kill.
   * @throws StateUnavailableError
   */
  async through(): Promise<number> {
    const seen = new Set<string>();
    await sweep(this.#book, this.#order.version, (swept) => {
      for (const { agent } of swept.changes) seen.add(agent.agentId);
      this.#take(swept);
    });
    if (this.#order.isSettled) return 0;
    await this.#kills.refreshUnseen(seen);
    return seen.size;
  }

  #take({ order, changes }: Swept): void {
    this.#order.update(order);
    this.#kills.take(changes);
  }

  /** The store let somebody in whom the gate should have barred: it has been opened, and nobody here knew. */
  outlived(): void {
    this.#isOutlived = true;
  }

  /** A look at this host's own agents in memory, for when the store cannot be asked (I6). */
  here(): void {
    const { scope, orderId, released } = this.#order.version;
    if (this.#isOutlived || released !== undefined) return;
    this.#kills.take(this.#book.claimHere(scopeKey(scope), orderId));
  }
}
