import {
  type Clock,
  isKillswitchError,
  type Killswitch,
  type KillswitchStatus,
} from '@agent-killswitch/core';
import { inTime } from './in-time.ts';
import { Unconfirmed, type UnconfirmedCount } from './unconfirmed.ts';

/** What a scrape finds. */
export interface Found {
  /** `undefined`: the store did not answer in time. */
  readonly status: KillswitchStatus | undefined;
  readonly unconfirmed: UnconfirmedCount;
}

/** Asks the state store for all gauges of a scrape at once, within `stateMs`; what hangs is not asked again beside itself. */
export class Scrapes {
  readonly #ks: Killswitch;
  readonly #clock: Clock;
  readonly #stateMs: number;
  readonly #unconfirmed: Unconfirmed;
  #scraping: Promise<Found> | undefined;
  #asking: Promise<KillswitchStatus> | undefined;

  constructor(ks: Killswitch, clock: Clock, stateMs: number) {
    this.#ks = ks;
    this.#clock = clock;
    this.#stateMs = stateMs;
    this.#unconfirmed = new Unconfirmed(ks, clock);
  }

  /** Never rejects. */
  find(): Promise<Found> {
    this.#scraping ??= this.#find().finally(() => {
      this.#scraping = undefined;
    });
    return this.#scraping;
  }

  stop(): void {
    this.#unconfirmed.stop();
  }

  async #find(): Promise<Found> {
    const until = this.#clock.now() + this.#stateMs;
    this.#asking ??= this.#status().finally(() => {
      this.#asking = undefined;
    });
    const status = await inTime(this.#clock, this.#stateMs, this.#asking);
    if (status === undefined) return { status, unconfirmed: this.#unconfirmed.known };
    const unconfirmed = await this.#unconfirmed.count(status.openOrders, until - this.#clock.now());
    return { status, unconfirmed };
  }

  /** @throws StateUnavailableError */
  async #status(): Promise<KillswitchStatus> {
    const status = await this.#ks.status();
    // While stops stand in this host's memory only, it tells of those if the store tells of nothing.
    if (this.#ks.unsaved().orders > 0)
      await this.#ks.order('none').catch((error: unknown) => {
        if (!isKillswitchError(error, 'unknown-target')) throw error;
      });
    return status;
  }
}
