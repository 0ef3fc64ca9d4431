import { hash } from 'node:crypto';
import { type ChainFault, type ChainHead, genesisHash } from '@agent-killswitch/core';
import { columnFault } from './verify-columns.ts';
import type { StoredRow } from './verify-page.ts';

/** See `DatabaseReport`. */
export type RecordFault = Exclude<ChainFault, 'partition'> | 'column' | 'order' | 'head';

/** Where a check of a chain begins. */
export interface ChainStart {
  /** The record before the first one that is looked at. */
  readonly before?: ChainHead & { readonly position: string };
  /** What the first one has to be: the last one of an earlier check. */
  readonly first?: ChainHead;
}

/** Checks the records of one chain, one after the other. */
export class ChainCheck {
  readonly #chain: string;
  readonly #known: ReadonlyMap<number, string>;
  #first: ChainHead | undefined;
  #seq = 0;
  #prev = genesisHash;
  #position = -1;
  /** In microseconds. */
  #stored = -Infinity;

  /** @param known ends of the chain that were kept elsewhere */
  constructor(chain: string, known: readonly ChainHead[], { before, first }: ChainStart) {
    this.#chain = chain;
    this.#known = new Map(known.map(({ seq, hash: at }) => [seq, at]));
    this.#first = first;
    if (first !== undefined) this.#seq = first.seq;
    if (before === undefined) return;
    this.#seq = before.seq + 1;
    this.#prev = before.hash;
    this.#position = Number(before.position);
  }

  /** The number that the next record has to have. */
  get next(): number {
    return this.#seq;
  }

  /** The last record that was as it should be, or what the chain goes on from; none before the first. */
  get last(): ChainHead | undefined {
    return this.#seq === 0 || this.#first !== undefined
      ? undefined
      : { seq: this.#seq - 1, hash: this.#prev };
  }

  /** Whether a record that was there once has not come yet. */
  get isShort(): boolean {
    return this.#first !== undefined || [...this.#known.keys()].some((seq) => seq >= this.#seq);
  }

  fault(row: StoredRow): RecordFault | undefined {
    const [seqText, prev, ownHash, event, position, stored] = row;
    const seq = this.#seq;
    if (Number(seqText) !== seq) return 'sequence';
    const first = this.#first;
    if (first === undefined && prev !== this.#prev) return 'link';
    const expected = hash('sha256', `${this.#chain}\n${seq}\n${prev}\n${event}`, 'hex');
    if (ownHash !== expected) return 'hash';
    const fault = columnFault(this.#chain, row);
    if (fault !== undefined) return fault;
    const storedAt = Number(stored ?? Number.NaN);
    if (!(Number(position) > this.#position && storedAt >= this.#stored)) return 'order';
    const known = first?.hash ?? this.#known.get(seq);
    if (known !== undefined && known !== expected) return 'head';
    this.#first = undefined;
    this.#seq = seq + 1;
    this.#prev = expected;
    this.#position = Number(position);
    this.#stored = storedAt;
    return undefined;
  }
}
