import type { Clock } from '@agent-killswitch/core';
import { type DeadLetter, letterOf } from './dead-letters.ts';
import { mostKept, Overflow } from './overflow.ts';
import type { Parcel } from './parcel.ts';

export interface GivenUpHost {
  readonly clock: Clock;
  readonly bury: (letters: readonly DeadLetter[]) => void;
  /** Something that whoever runs this should know. */
  readonly trouble: (line: string) => void;
}

interface Dead {
  readonly parcel: Parcel;
  readonly error: string;
  readonly deadAt: number;
}

/** What an endpoint did not get, on its way to the dead letters: of very many at once the newest are written out, a few a turn. */
export class GivenUp {
  readonly #endpoint: string;
  readonly #host: GivenUpHost;
  readonly #overflow: Overflow<Dead>;
  #count = 0;
  /** Whether `trouble` has heard of it since the last success. */
  #isTold = false;

  constructor(endpoint: string, host: GivenUpHost) {
    this.#endpoint = endpoint;
    this.#host = host;
    this.#overflow = new Overflow(host.clock, (dead) => this.#write(dead));
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  take(parcels: readonly Parcel[], error: string): void {
    this.#count += parcels.length;
    const deadAt = this.#host.clock.now();
    this.#overflow.add(parcels.slice(-mostKept).map((parcel) => ({ parcel, error, deadAt })));
  }

  /** Whoever was told of a loss is told of the next one after a success. */
  delivered(): void {
    this.#isTold = false;
  }

  /** Whoever closes knows. */
  hush(): void {
    this.#isTold = true;
  }

  /** Hands on all that there are. */
  handOn(): Promise<void> {
    return this.#overflow.drain();
  }

  #write(dead: readonly Dead[]): void {
    const letters = dead.map(({ parcel: { message, tries }, error, deadAt }) =>
      letterOf(this.#endpoint, message(), { tries, error, deadAt }),
    );
    this.#host.bury(letters);
    if (this.#isTold) return;
    this.#isTold = true;
    const why = letters[0]?.error ?? '';
    this.#host.trouble(`Webhook endpoint "${this.#endpoint}": messages become dead letters: ${why}`);
  }
}
