import type { AuditEvent } from '@agent-killswitch/core';
import { chainOf, columnsOf } from './columns.ts';
import { EventShape } from './event-shape.ts';
import { field, fieldOf, microsecondsOf, type StoredRow, textColumns } from './stored-row.ts';

/** How many shapes are known at once, the newest first. */
const most = 32;

/** Whether every column of the rows of a chain says what the event says. Each event has the hash that it should have. */
export class ColumnCheck {
  readonly #chain: string;
  /** As the columns are compared: a character per byte. */
  readonly #latin1: string;
  #shapes: readonly EventShape[] = [];

  constructor(chain: string) {
    this.#chain = chain;
    this.#latin1 = Buffer.from(chain).toString('latin1');
  }

  fault(row: StoredRow): 'shape' | 'column' | undefined {
    const hasBackslash = row.latin1.includes('\\', row.eventStart);
    if (!hasBackslash)
      for (const shape of this.#shapes) if (shape.agrees(row, this.#latin1)) return undefined;
    const fault = this.#parsedFault(row);
    if (fault === undefined && !hasBackslash) this.#learn(row);
    return fault;
  }

  #parsedFault(row: StoredRow): 'shape' | 'column' | undefined {
    try {
      const event: AuditEvent = JSON.parse(row.eventText());
      if (chainOf(event) !== this.#chain) return 'column';
      const expected = columnsOf(event);
      for (const name of textColumns) if (row.text(fieldOf[name]) !== expected[name]) return 'column';
      if (row.time(field.eventTime) !== microsecondsOf(Date.parse(event.time))) return 'column';
      const ids = 'sessionIds' in event ? event.sessionIds.map(latin1Of) : null;
      return JSON.stringify(row.sessionIds()) === JSON.stringify(ids) ? undefined : 'column';
    } catch {
      return 'shape';
    }
  }

  #learn(row: StoredRow): void {
    try {
      const shape = EventShape.of(row.latin1.slice(row.eventStart, row.eventEnd));
      if (shape !== undefined) this.#shapes = [shape, ...this.#shapes].slice(0, most);
    } catch {
      // An odd event is parsed each time.
    }
  }
}

function latin1Of(text: string): string {
  return Buffer.from(text).toString('latin1');
}
