import { type Killswitch, type OrderReport, type Principal, sha256 } from '@agent-killswitch/core';
import { z } from 'zod';

const keepMs = 24 * 3_600_000;
const mostKept = 10_000;
const keySchema = z.string().min(1).max(255);

interface Kept {
  readonly at: number;
  readonly order: Promise<string>;
}

/**
 * What was asked under an `Idempotency-Key`, so that a client that did not get its answer may ask again without
 * stopping again what was released meanwhile. Kept by this process for a day, the newest 10,000. It never refuses a
 * stop: what is not known here is done.
 */
export class Repeats {
  readonly #kept = new Map<string, Kept>();

  /**
   * Does it, or says how the order fares that the same principal placed with the same request under this key.
   * @throws what `stop` throws; InvalidInputError never: a key that is none is as good as no key.
   */
  async once(
    ks: Killswitch,
    key: string | undefined,
    principal: Principal,
    request: unknown,
    stop: () => Promise<OrderReport>,
  ): Promise<OrderReport> {
    if (key === undefined || !keySchema.safeParse(key).success) return stop();
    this.#forget();
    // With all that the principal may do: what was taken from them since is not told to them.
    const name = sha256(JSON.stringify([principal, key, request]));
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      const known = await kept.order.then((orderId) => ks.report(orderId)).catch(() => undefined);
      if (known !== undefined) return known;
    }
    const stopping = stop();
    const order = stopping.then(({ orderId }) => orderId);
    this.#kept.delete(name);
    this.#kept.set(name, { at: Date.now(), order });
    order.catch(() => this.#kept.delete(name));
    return stopping;
  }

  #forget(): void {
    for (const [name, { at }] of this.#kept) {
      if (this.#kept.size <= mostKept && Date.now() - at < keepMs) return;
      this.#kept.delete(name);
    }
  }
}
