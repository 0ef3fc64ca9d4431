import { columnNames } from './columns.ts';

/** Those whose value is a text. */
export type TextColumn = Exclude<(typeof columnNames)[number], 'event_time' | 'session_ids'>;
export const textColumns: readonly TextColumn[] = columnNames.filter(
  (name): name is TextColumn => name !== 'event_time' && name !== 'session_ids',
);

/** Where each column stands in a row. The event is the last. */
export const field = {
  seq: 0,
  position: 1,
  storedAt: 2,
  eventTime: 3,
  prev: 4,
  hash: 5,
  sessionIds: 6,
} as const;
const firstText = 7;
const eventField: number = firstText + textColumns.length;
const fields: number = eventField + 1;
export const fieldOf: Readonly<Record<TextColumn, number>> = Object.fromEntries(
  textColumns.map((name, index) => [name, firstText + index]),
) as Record<TextColumn, number>;

/** The columns as a statement selects them, whatever somebody has made of their types. */
export const selected: string = [
  'seq::int8',
  'position::int8',
  'stored_at::timestamptz',
  'event_time::timestamptz',
  'prev::text',
  'hash::text',
  'session_ids::text[]',
  ...textColumns.map((name) => `${name}::text`),
  'event::json',
].join(', ');

/** Milliseconds from the Unix epoch to that of Postgres. */
const postgresEpoch: number = Date.UTC(2000, 0, 1);
const signatureBytes = 11;
const trailer = -1;

/**
 * A row as `COPY … (FORMAT binary)` gives it, read in place: one object for all rows. Texts are compared as the bytes that
 * they are, one character each.
 */
export class StoredRow {
  #bytes: Buffer = Buffer.alloc(0);
  /** The bytes of the whole row as characters: where a column's text begins is where its bytes do. */
  latin1 = '';
  readonly #starts = new Int32Array(fields);
  readonly #ends = new Int32Array(fields);

  /** `false`: it is none, but the end of all. @throws TypeError for what is of another shape */
  read(bytes: Buffer): boolean {
    // The first one has the header before it.
    const isFirst = bytes.length > signatureBytes && bytes.toString('latin1', 0, 6) === 'PGCOPY';
    let at = isFirst ? signatureBytes + 8 + bytes.readInt32BE(signatureBytes + 4) : 0;
    const count = bytes.readInt16BE(at);
    if (count === trailer) return false;
    if (count !== fields) throw new TypeError(`a row of ${count} columns instead of ${fields}`);
    at += 2;
    for (let index = 0; index < fields; index += 1) {
      const length = bytes.readInt32BE(at);
      at += 4;
      this.#starts[index] = at;
      this.#ends[index] = length === -1 ? -1 : at + length;
      if (length > 0) at += length;
    }
    this.#bytes = bytes;
    this.latin1 = bytes.toString('latin1', 0, at);
    return true;
  }

  isNull(index: number): boolean {
    return this.#ends[index] === -1;
  }

  start(index: number): number {
    return this.#starts[index] as number;
  }

  end(index: number): number {
    return this.#ends[index] as number;
  }

  /** A column's bytes as characters; `undefined` for NULL. */
  raw(index: number): string | undefined {
    return this.isNull(index) ? undefined : this.latin1.slice(this.start(index), this.end(index));
  }

  /** A column's text; `null` for NULL. */
  text(index: number): string | null {
    return this.isNull(index) ? null : this.#bytes.toString('utf8', this.start(index), this.end(index));
  }

  /** A whole number; NaN for NULL. */
  integer(index: number): number {
    if (this.isNull(index)) return Number.NaN;
    const at = this.start(index);
    return this.#bytes.readInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
  }

  /** A time in microseconds since 2000; NaN for NULL and for the infinite. */
  time(index: number): number {
    const at = this.integer(index);
    return at >= 2 ** 63 - 1 || at <= -(2 ** 63) ? Number.NaN : at;
  }

  /** The elements of `session_ids`; `null` for NULL, `undefined` for what is no plain list. */
  sessionIds(): string[] | null | undefined {
    if (this.isNull(field.sessionIds)) return null;
    let at = this.start(field.sessionIds);
    const bytes = this.#bytes;
    const [dimensions, hasNulls] = [bytes.readInt32BE(at), bytes.readInt32BE(at + 4)];
    if (dimensions === 0) return [];
    if (dimensions !== 1 || hasNulls !== 0 || bytes.readInt32BE(at + 16) !== 1) return undefined;
    const ids: string[] = [];
    const count = bytes.readInt32BE(at + 12);
    at += 20;
    for (let n = 0; n < count; n += 1) {
      const length = bytes.readInt32BE(at);
      ids.push(this.latin1.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return ids;
  }

  /** Where the event's text begins; it ends where the row does. */
  get eventStart(): number {
    return this.start(eventField);
  }

  get eventEnd(): number {
    return this.end(eventField);
  }

  get hasEvent(): boolean {
    return !this.isNull(eventField);
  }

  eventText(): string {
    return this.#bytes.toString('utf8', this.eventStart, this.eventEnd);
  }

  /** Copies the event's bytes. */
  copyEvent(to: Buffer, at: number): void {
    this.#bytes.copy(to, at, this.eventStart, this.eventEnd);
  }
}

/** What `StoredRow.time` says of a time of JavaScript. */
export function microsecondsOf(ms: number): number {
  return (ms - postgresEpoch) * 1_000;
}
