import { type AuditEvent, auditEventSchema, canonical, InvalidInputError } from '@agent-killswitch/core';
import { maxLineBytes } from './journal-line.ts';

/** Room for the rest of a record: two hashes, a number, the names. */
const envelopeBytes = 1_024;

/**
 * The events as they will be on file, copied: what would not be read back must not be written.
 * @throws InvalidInputError naming the event
 */
export function validEvents(events: readonly AuditEvent[]): AuditEvent[] {
  return events.map((event, index) => {
    const parsed = auditEventSchema.safeParse(event);
    if (!parsed.success) {
      throw new InvalidInputError(
        `audit event ${index} of the batch`,
        parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
      );
    }
    if (Buffer.byteLength(canonical(parsed.data)) > maxLineBytes - envelopeBytes) {
      throw new InvalidInputError(`audit event ${index} of the batch`, [`longer than ${maxLineBytes} bytes`]);
    }
    return parsed.data;
  });
}
