import type { Redis } from 'ioredis';
import type { SeededRandom } from '../seeded-random.ts';
import type { OwnServer } from './own-server.ts';

/** Strikes a server and the connections to it in the middle of a history. */
export class Faults {
  readonly fired = { 'server stopped': 0, 'connections killed': 0, 'scripts forgotten': 0 };
  readonly #server: OwnServer;
  readonly #admin: Redis;
  readonly #random: SeededRandom;
  #cutAt = Number.NEGATIVE_INFINITY;

  constructor(server: OwnServer, admin: Redis, random: SeededRandom) {
    this.#server = server;
    this.#admin = admin;
    this.#random = random;
  }

  /** Whether connections were cut at or after this time: what was on its way then may have been sent again. */
  hasCutSince(time: number): boolean {
    return this.#cutAt >= time;
  }

  /** One fault, or none, a moment from now. Over when all is well again. */
  async strike(): Promise<void> {
    const kind = this.#random.integer(0, 4);
    await after(this.#random.integer(0, 5));
    if (kind === 1) {
      this.#server.pause();
      this.fired['server stopped'] += 1;
      await after(this.#random.integer(10, 120));
      this.#server.resume();
    } else if (kind === 2) {
      this.fired['connections killed'] += 1;
      this.#cutAt = Number.POSITIVE_INFINITY;
      await this.#admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      this.#cutAt = performance.now();
    } else if (kind === 3) {
      this.fired['scripts forgotten'] += 1;
      await this.#admin.script('FLUSH', 'SYNC');
    }
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
