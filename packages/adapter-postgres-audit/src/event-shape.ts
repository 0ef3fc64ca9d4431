import type { AuditEvent } from '@agent-killswitch/core';
import { type Columns, chainOf, columnsOf } from './columns.ts';
import {
  field,
  fieldOf,
  microsecondsOf,
  type StoredRow,
  type TextColumn,
  textColumns,
} from './stored-row.ts';

/** Members whose value decides what columns an event has: it belongs to the shape. */
const deciding: ReadonlySet<string> = new Set(['type', 'status']);

/** What a column has to be: nothing, always the same, or one of the event's texts. */
type Expected = null | string | number;

/**
 * How the JSON of an event looks, its texts left out: everything but what stands between two quotes as a value. Of an event
 * of a known shape it is clear where the text of each column stands, so nobody has to parse it.
 *
 * Only events without a backslash are compared: in them every quote begins or ends a text.
 */
export class EventShape {
  /** What stands before, between and behind the texts. */
  readonly #literals: readonly string[];
  readonly #columns: readonly (readonly [index: number, expected: Expected])[];
  readonly #chain: Expected;
  readonly #time: number;
  readonly #sessionIds: readonly number[] | null;
  /** Where the texts of the event that is looked at are. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  private constructor(literals: readonly string[], event: AuditEvent) {
    const columns = columnsOf(event);
    this.#literals = literals;
    this.#columns = textColumns.map(
      (name: TextColumn) => [fieldOf[name], expectedOf(columns[name])] as const,
    );
    this.#chain = expectedOf(chainOf(event));
    this.#time = indexOf(event.time);
    this.#sessionIds = 'sessionIds' in event ? event.sessionIds.map(indexOf) : null;
    this.#starts = new Int32Array(literals.length);
    this.#ends = new Int32Array(literals.length);
  }

  /** The shape of an event that is known to be one, if it is plain enough. @throws what is thrown at an odd one */
  static of(text: string): EventShape | undefined {
    if (text.includes('\\')) return undefined;
    const parts = text.split('"');
    const literals: string[] = [];
    let literal = parts[0] ?? '';
    for (let at = 1; at < parts.length; at += 2) {
      const [before = '', value = '', after = ''] = parts.slice(at - 1, at + 2);
      const isName = after.startsWith(':');
      if (isName || (before === ':' && deciding.has(parts[at - 2] ?? ''))) {
        literal += `"${value}"${after}`;
      } else {
        literals.push(`${literal}"`);
        literal = `"${after}`;
      }
    }
    literals.push(literal);
    if (literals.some((each) => each.includes(mark))) return undefined;
    const probe = literals
      .map((each, index) => (index === 0 ? each : `${tokenOf(index - 1)}${each}`))
      .join('');
    return new EventShape(literals, JSON.parse(probe));
  }

  /** Whether the event of a row is of this shape, and the row's columns, and its chain, say the same as the event. */
  agrees(row: StoredRow, chain: string): boolean {
    return this.#isOf(row) && this.#haveColumns(row) && this.#isExpected(row, this.#chain, chain);
  }

  #isOf(row: StoredRow): boolean {
    const { latin1, eventEnd } = row;
    let at = row.eventStart;
    const last = this.#literals.length - 1;
    for (let index = 0; index < last; index += 1) {
      const literal = this.#literals[index] as string;
      if (!latin1.startsWith(literal, at)) return false;
      at += literal.length;
      this.#starts[index] = at;
      at = latin1.indexOf('"', at);
      if (at === -1) return false;
      this.#ends[index] = at;
    }
    const end = this.#literals[last] as string;
    return at + end.length === eventEnd && latin1.startsWith(end, at);
  }

  #haveColumns(row: StoredRow): boolean {
    for (const [index, expected] of this.#columns)
      if (!this.#isExpected(row, expected, row.raw(index))) return false;
    if (row.time(field.eventTime) !== microsecondsOf(Date.parse(this.#textOf(row, this.#time)))) return false;
    const ids = row.sessionIds();
    if (ids === null || ids === undefined || this.#sessionIds === null) return ids === this.#sessionIds;
    return (
      ids.length === this.#sessionIds.length &&
      this.#sessionIds.every((text, index) => ids[index] === this.#textOf(row, text))
    );
  }

  #isExpected(row: StoredRow, expected: Expected, raw: string | undefined): boolean {
    if (expected === null) return raw === undefined;
    return raw === (typeof expected === 'number' ? this.#textOf(row, expected) : expected);
  }

  #textOf({ latin1 }: StoredRow, index: number): string {
    return latin1.slice(this.#starts[index], this.#ends[index]);
  }
}

/** Begins what stands for a text of the event in what is made of it. */
const mark = '<';

function tokenOf(index: number): string {
  return `${mark}${index}>`;
}

function indexOf(token: string): number {
  return Number(token.slice(1, -1));
}

function expectedOf(column: Columns[TextColumn]): Expected {
  return column?.startsWith(mark) ? indexOf(column) : column;
}
