import { type AuditEvent, auditEventSchema, canonical, InvalidInputError } from '@agent-killswitch/core';
import { type Columns, chainOf, columnsOf } from './columns.ts';

/** Longest event that is taken, in bytes of its canonical form. */
export const maxEventBytes: number = 16 * 1024 * 1024;

/** An event as it will be on file. */
export interface Row {
  readonly chain: string;
  readonly text: string;
  readonly columns: Columns;
}

/**
 * The rows of these events, copied: what could not be read back must not be written.
 * @throws InvalidInputError naming the event
 */
export function rowsOf(events: readonly AuditEvent[]): Row[] {
  return events.map((event, index) => {
    const parsed = auditEventSchema.safeParse(event);
    if (!parsed.success) {
      throw new InvalidInputError(
        `audit event ${index} of the batch`,
        parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
      );
    }
    if (!parsed.data.id.isWellFormed() || parsed.data.id.includes('\0'))
      throw new InvalidInputError(`audit event ${index} of the batch`, [
        'id: must be well-formed, without NUL',
      ]);
    const text = canonical(parsed.data);
    if (text.length > maxEventBytes / 4 && Buffer.byteLength(text) > maxEventBytes) {
      throw new InvalidInputError(`audit event ${index} of the batch`, [
        `longer than ${maxEventBytes} bytes`,
      ]);
    }
    return { chain: chainOf(parsed.data), text, columns: columnsOf(parsed.data) };
  });
}
