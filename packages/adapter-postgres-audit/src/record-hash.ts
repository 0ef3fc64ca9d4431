import { hash } from 'node:crypto';
import type { StoredRow } from './stored-row.ts';

/** Longer ones get a longer buffer. */
const usualBytes = 16_384;

/** Hashes the records of a chain as `seal` of core does, from the bytes that the database has of them. */
export class RecordHash {
  #text: Buffer;
  /** How many bytes are the chain's name and a line feed, which begin the text of each record. */
  readonly #name: number;

  constructor(chain: string) {
    const name = Buffer.from(`${chain}\n`);
    this.#name = name.length;
    this.#text = Buffer.alloc(name.length + usualBytes);
    name.copy(this.#text);
  }

  /** In lower-case hex. @param prev its bytes, a character each */
  of(seq: number, prev: string, row: StoredRow): string {
    const place = `${seq}\n${prev}\n`;
    const start = this.#name + place.length;
    const length = start + row.eventEnd - row.eventStart;
    if (length > this.#text.length) this.#text = Buffer.concat([this.#text.subarray(0, this.#name)], length);
    this.#text.write(place, this.#name, 'latin1');
    row.copyEvent(this.#text, start);
    return hash('sha256', this.#text.subarray(0, length), 'hex');
  }
}
