import type { AuditEvent } from '@agent-killswitch/core';
import { chainOf, columnNames, columnsOf } from './columns.ts';
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
      const value = name === 'session_ids' ? sessionsOf(event) : expected[name];
      if (row[first + index] !== value) return 'column';
    }
    return undefined;
  } catch {
    return 'shape';
  }
}

function sessionsOf(event: AuditEvent): string | null {
  return 'sessionIds' in event ? event.sessionIds.join(' ') : null;
}
