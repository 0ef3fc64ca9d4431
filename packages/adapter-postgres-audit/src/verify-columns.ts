import type { AuditEvent } from '@agent-killswitch/core';
import { type Columns, chainOf, columnNames, columnsOf } from './columns.ts';
import type { StoredRow } from './verify-page.ts';

/** Where the columns begin in a row. */
const first = 6;

/** Whether every column says what the event says. The event itself has the hash that it should have. */
export function columnFault(chain: string, row: StoredRow): 'shape' | 'column' | undefined {
  try {
    const event: AuditEvent = JSON.parse(row[3]);
    if (chainOf(event) !== chain) return 'column';
    const expected = columnsOf(event);
    for (let index = 0; index < columnNames.length; index += 1) {
      const name = columnNames[index] as (typeof columnNames)[number];
      if (row[first + index] !== sentAs(name, event, expected)) return 'column';
    }
    return undefined;
  } catch {
    return 'shape';
  }
}

/** What a page has of a column. */
function sentAs(name: keyof Columns, event: AuditEvent, expected: Columns): string | null {
  if (name === 'event_time') return `${Date.parse(event.time)}`;
  if (name === 'session_ids') return 'sessionIds' in event ? event.sessionIds.join(' ') : null;
  return expected[name];
}
