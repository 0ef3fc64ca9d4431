import type { Book } from './book.ts';
import type { Lease } from './lease.ts';
import type { Clock } from './ports/clock.ts';

/** A host that renews once a second and has not for this long, while this host was listening, is silent. */
const silentMs = 2_500;
/** What one listing can add to that at most: a host that was paused itself has heard nothing meanwhile. */
const mostHeardMs = 1_500;
/** So long after its lease has run out a host has stopped its agents itself. */
const endMs = 5_000;

interface Heard {
  readonly lease: Lease;
  /** When this host first saw that it was renewed so. */
  readonly seenAt: number;
  /** How long this host has listened since the lease was last renewed. */
  readonly silentMs: number;
}

/** This host's own lease, and what is known of the others'. */
export class Leases {
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #hostId: string;
  readonly #leaseMs: number;
  /** Up to when this host's own lease goes in the store, as far as is known. */
  #until = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;
  /** When this host was heard again after the others may have held it for silent. */
  #backAt = Number.NEGATIVE_INFINITY;
  #heard = new Map<string, Heard>();
  #listedAt: number | undefined;
  #listenedMs = 0;
  /** The leases that the store has lost with everything else, of hosts that have not been heard of since. */
  readonly #awaited = new Map<string, Lease>();
  /**
   * Whether what is listed says that somebody has been heard of since: not what comes from the lost state; nor what the state that
   * took its place begins with, since an older copy of it may still hold a newer lease than was heard of here.
   */
  #listing: 'lost' | 'first' | 'later' = 'later';

  constructor(book: Book, clock: Clock, hostId: string, leaseMs: number) {
    this.#book = book;
    this.#clock = clock;
    this.#hostId = hostId;
    this.#leaseMs = leaseMs;
  }

  /** Renews this host's lease, also right after a call that the store did not answer. @throws StateUnavailableError. */
  async renew(): Promise<void> {
    const now = this.#clock.now();
    const until = now + this.#leaseMs;
    // A clock that was ahead in an earlier life has left a longer one: only what is longer still is heard (I1).
    this.#until = this.#until > until ? this.#until + 1 : until;
    const lease = { hostId: this.#hostId, until: this.#until };
    await this.#book.askAnew('renewing the lease', (store) => store.renewLease(lease));
    if (now - this.#renewedAt >= silentMs) this.#backAt = this.#clock.now();
    this.#renewedAt = Math.max(this.#renewedAt, now);
  }

  /** Whether the others have heard of this host all the time since then. If not, they may have taken over its orders. */
  isHeardSince(at: number): boolean {
    return this.#backAt <= at && this.#clock.now() - this.#renewedAt < silentMs;
  }

  /** Looks at everybody's. @throws StateUnavailableError. */
  async listen(): Promise<void> {
    const listing = this.#listing;
    const leases = await this.#book.ask('listing leases', (store) => store.listLeases());
    const now = this.#clock.now();
    const passed = this.#listedAt === undefined ? 0 : Math.min(now - this.#listedAt, mostHeardMs);
    this.#listedAt = now;
    this.#listenedMs += passed;
    const heard = new Map<string, Heard>();
    for (const lease of leases) {
      const awaited = this.#awaited.get(lease.hostId);
      if (listing === this.#listing && awaited !== undefined && lease.until > awaited.until) {
        if (listing === 'first') this.#awaited.set(lease.hostId, lease);
        if (listing === 'later') this.#awaited.delete(lease.hostId);
      }
      const before = this.#heard.get(lease.hostId);
      if (lease.hostId === this.#hostId) this.#until = Math.max(this.#until, lease.until);
      const isRenewed = before === undefined || before.lease.until !== lease.until;
      heard.set(
        lease.hostId,
        isRenewed
          ? { lease, seenAt: now, silentMs: 0 }
          : { ...before, lease, silentMs: before.silentMs + passed },
      );
    }
    this.#heard = heard;
    if (listing === 'first' && this.#listing === 'first') this.#listing = 'later';
  }

  /**
   * Whether another host has said nothing for some seconds: its orders may be taken over. Goes by this host's own time, so
   * that no difference of clocks and no pause of this host makes it deaf.
   */
  isSilent(hostId: string): boolean {
    if (hostId === this.#hostId) return false;
    return (this.#heard.get(hostId)?.silentMs ?? this.#listenedMs) >= silentMs;
  }

  /** It has just done something: it is not silent, if it was. */
  heard(hostId: string): void {
    const before = this.#heard.get(hostId);
    if (before !== undefined) this.#heard.set(hostId, { ...before, silentMs: 0 });
  }

  /**
   * The store has lost its state: the other hosts put back what they know when they notice, or stop their agents when their
   * leases have run out.
   */
  awaitOthers(): void {
    this.#listing = 'lost';
    for (const { lease } of this.#heard.values())
      if (lease.hostId !== this.#hostId) this.#awaited.set(lease.hostId, lease);
  }

  /** From now on this host hears of the others in the state that has taken the place of the lost one. */
  listenAnew(): void {
    this.#listing = 'first';
  }

  /** Hosts that may run agents which the store has lost, and which are not put back yet. */
  awaited(): string[] {
    const now = this.#clock.now();
    for (const { hostId, until } of this.#awaited.values())
      if (until + endMs < now) this.#awaited.delete(hostId);
    return [...this.#awaited.keys()];
  }

  /**
   * Hosts that are silent and have let their lease run out, by this host's clock. A lease that was given by a clock that is ahead
   * counts for as long as this host's own would since it was seen.
   */
  lost(): string[] {
    return [...this.#heard.keys()].filter((hostId) => this.hasRunOut(hostId) && this.isSilent(hostId));
  }

  /** Whether a host has no lease, by this host's clock: it has stopped its agents, or is not there any more. See {@link lost}. */
  hasRunOut(hostId: string): boolean {
    const heard = this.#heard.get(hostId);
    return (
      heard === undefined || Math.min(heard.lease.until, heard.seenAt + this.#leaseMs) < this.#clock.now()
    );
  }
}
