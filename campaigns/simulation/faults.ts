import type { SeededRandom } from '../seeded-random.ts';

/** Everything that can go wrong in the simulated world. */
export const faultKinds = [
  'store: delay',
  'store: hang',
  'store: throw before effect',
  'store: throw after effect',
  'store: stale read',
  'store: outage',
  'sink: delay',
  'sink: hang',
  'sink: throw before effect',
  'sink: throw after effect',
  'sink: outage',
  'sink: repeated batch',
  'runtime: delay',
  'runtime: hang',
  'runtime: throw before effect',
  'runtime: throw after effect',
  'cleanup: delay',
  'cleanup: hang',
  'cleanup: throw before effect',
  'cleanup: throw after effect',
  'authorizer: delay',
  'authorizer: hang',
  'authorizer: throw before effect',
  'authorizer: throw after effect',
  'watch: lost hint',
  'watch: late hint',
  'watch: repeated hint',
  'listener: throw',
  'listener: hang',
  'host: crash before effect',
  'host: crash after effect',
  'host: crash between steps',
  'host: request applied after crash',
  'host: shutdown',
  'host: lease lost',
  'agent: immortal',
  'agent: hung',
  'agent: failing',
  'agent: slow',
  'agent: stubborn',
] as const;
export type FaultKind = (typeof faultKinds)[number];

const enabled = 0.4;
const rates = [0.01, 0.03, 0.1, 0.25] as const;
/** Rounds without a single fault: pure races. */
const calmRounds = 0.08;

/** Which faults this round has and how likely each is; counts those that were really inflicted. */
export class Faults {
  readonly fired = new Map<FaultKind, number>();
  readonly #random: SeededRandom;
  readonly #rates = new Map<FaultKind, number>();
  #healed = false;

  constructor(random: SeededRandom) {
    this.#random = random;
    const isCalm = random.chance(calmRounds);
    for (const kind of faultKinds) {
      const rate = random.pick(rates);
      if (random.chance(enabled) && !isCalm) this.#rates.set(kind, rate);
    }
  }

  /** Whether this round has the fault at all. */
  has(kind: FaultKind): boolean {
    return !this.#healed && this.#rates.has(kind);
  }

  /** Whether it strikes here and now; `factor` makes it likelier where it could strike only rarely. */
  strikes(kind: FaultKind, factor = 1): boolean {
    const rate = this.#rates.get(kind);
    if (this.#healed || rate === undefined || !this.#random.chance(Math.min(1, rate * factor))) return false;
    this.count(kind);
    return true;
  }

  count(kind: FaultKind): void {
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1);
  }

  /** From now on nothing new goes wrong. */
  heal(): void {
    this.#healed = true;
  }

  get healed(): boolean {
    return this.#healed;
  }
}
