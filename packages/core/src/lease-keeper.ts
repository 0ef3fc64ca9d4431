import type { GuardedEvents } from './events.ts';
import type { Leases } from './leases.ts';
import type { Clock } from './ports/clock.ts';

const beatMs = 1_000;
/** How often a host whose lease has run out looks before it believes that: all deadlines of one that was paused pass at once. */
const looks = 2;

export interface LeaseKeeperHost {
  readonly clock: Clock;
  readonly events: GuardedEvents;
  readonly leases: Leases;
  readonly leaseMs: number;
  /** What follows when the lease is lost; must not throw. */
  readonly onLost: () => void;
}

/**
 * Renews this host's lease once a second, whatever else goes on.
 *
 * - held: the store has answered a renewal. Left when none was answered for the length of the lease, as timers count it, so
 *   that a clock that is set forward loses nothing.
 * - doubted: two more renewals are tried, each with its own time: a process that was paused looks before it acts.
 * - lost: `onLost` was called once. Left, like every mode, by the next renewal that is answered.
 */
export class LeaseKeeper {
  readonly #host: LeaseKeeperHost;
  #cancelBeat = (): void => undefined;
  #cancelExpiry = (): void => undefined;
  #renewals = 0;
  #isLost = false;
  #isStopped = true;

  constructor(host: LeaseKeeperHost) {
    this.#host = host;
  }

  start(): void {
    this.#isStopped = false;
    this.#expireAfter(this.#host.leaseMs);
    void this.#beat();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelBeat();
    this.#cancelExpiry();
  }

  async #beat(): Promise<void> {
    const { clock, leaseMs } = this.#host;
    await this.#renew();
    if (this.#isStopped) return;
    this.#cancelBeat = clock.setTimer(Math.min(beatMs, leaseMs / 3), () => void this.#beat());
  }

  /** Whether the store took it. */
  async #renew(): Promise<boolean> {
    const { clock, events, leases, leaseMs } = this.#host;
    const since = clock.now();
    try {
      await leases.renew();
    } catch {
      return false;
    }
    this.#renewals += 1;
    // Counted from before the call, as the store does.
    this.#expireAfter(Math.max(0, leaseMs - (clock.now() - since)));
    if (this.#isLost)
      events.emit('warning', { message: 'The state store answers again: the lease is renewed' });
    this.#isLost = false;
    return true;
  }

  #expireAfter(ms: number): void {
    this.#cancelExpiry();
    if (this.#isStopped) return;
    this.#cancelExpiry = this.#host.clock.setTimer(ms, () => void this.#doubt());
  }

  async #doubt(): Promise<void> {
    const before = this.#renewals;
    for (let look = 0; look < looks; look++) {
      await this.#renew();
      if (this.#renewals > before || this.#isStopped) return;
    }
    if (this.#isLost) return;
    this.#isLost = true;
    this.#host.onLost();
  }
}
