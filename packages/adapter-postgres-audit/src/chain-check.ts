import { type ChainFault, type ChainHead, genesisHash } from '@agent-killswitch/core';
import { ColumnCheck } from './column-check.ts';
import { RecordHash } from './record-hash.ts';
import { field, type StoredRow } from './stored-row.ts';

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
  readonly #columns: ColumnCheck;
  readonly #hash: RecordHash;
  /** By number. There may be two for one, if the database was put back to an older state and went on from there. */
  readonly #known: ReadonlyMap<number, Set<string>>;
  #first: ChainHead | undefined;
  #seq = 0;
  #prev = genesisHash;
  #position = -1;
  /** In microseconds. */
  #stored = -Infinity;

  /** @param known ends of the chain that were kept elsewhere */
  constructor(chain: string, known: readonly ChainHead[], { before, first }: ChainStart) {
    this.#columns = new ColumnCheck(chain);
    this.#hash = new RecordHash(chain);
    this.#known = new Map(known.map(({ seq }) => [seq, new Set()]));
    for (const { seq, hash } of known) this.#known.get(seq)?.add(hash);
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
    const seq = this.#seq;
    if (row.integer(field.seq) !== seq) return 'sequence';
    const first = this.#first;
    const prev = row.raw(field.prev);
    if (prev === undefined || (first === undefined && prev !== this.#prev)) return 'link';
    const expected = this.#hash.of(seq, prev, row);
    if (row.raw(field.hash) !== expected) return 'hash';
    const fault = this.#columns.fault(row);
    if (fault !== undefined) return fault;
    const position = row.integer(field.position);
    const stored = row.time(field.storedAt);
    if (!(position > this.#position && stored >= this.#stored)) return 'order';
    if (first !== undefined && first.hash !== expected) return 'head';
    for (const known of this.#known.get(seq) ?? []) if (known !== expected) return 'head';
    this.#first = undefined;
    this.#seq = seq + 1;
    this.#prev = expected;
    this.#position = position;
    this.#stored = stored;
    return undefined;
  }
}
