import type { Book } from './book.ts';
import type { Lease } from './lease.ts';
import type { Clock } from './ports/clock.ts';

/** This host's own lease, and what is known of the others'. */
export class Leases {
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #hostId: string;
  readonly #leaseMs: number;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #known: readonly Lease[] = [];

  constructor(book: Book, clock: Clock, hostId: string, leaseMs: number) {
    this.#book = book;
    this.#clock = clock;
    this.#hostId = hostId;
    this.#leaseMs = leaseMs;
  }

  /** Renews when a third of the lease is used, and looks at everybody's. @throws StateUnavailableError. */
  async tend(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#renewedAt >= this.#leaseMs / 3) {
      const lease = { hostId: this.#hostId, until: now + this.#leaseMs };
      await this.#book.ask('renewing the lease', (store) => store.renewLease(lease));
      this.#renewedAt = now;
    }
    this.#known = await this.#book.ask('listing leases', (store) => store.listLeases());
  }

  /** Whether the host has had a lease and has let it run out, by this host's clock. */
  isLost(hostId: string): boolean {
    return (
      hostId !== this.#hostId &&
      this.#known.some((lease) => lease.hostId === hostId && lease.until < this.#clock.now())
    );
  }

  lost(): string[] {
    return this.#known.map((lease) => lease.hostId).filter((hostId) => this.isLost(hostId));
  }
}
