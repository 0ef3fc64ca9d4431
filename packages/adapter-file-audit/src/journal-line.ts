import { hash } from 'node:crypto';
import {
  type AuditEvent,
  type AuditRecord,
  auditEventSchema,
  type ChainHead,
  canonical,
  chainFault,
  type Sha256,
  seal,
} from '@agent-killswitch/core';
import { z } from 'zod';
import type { JournalFault } from './journal-errors.ts';

/** The newest record, or `undefined` at the start of a chain. */
export type Head = ChainHead | undefined;

/** Longest line, in bytes. Longer ones are not written, and not read into memory. */
export const maxLineBytes: number = 16 * 1024 * 1024;

const native: Sha256 = (text) => hash('sha256', text, 'hex');
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const recordSchema = z.strictObject({
  partition: z.string(),
  seq: z.number().int().nonnegative(),
  prev: sha256Hex,
  hash: sha256Hex,
  event: auditEventSchema,
});
const otherVersionSchema = z.looseObject({ event: z.looseObject({ version: z.unknown() }) });
/** Fatal: a byte that is not UTF-8 would otherwise read as a character that another byte could stand for too. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The line of the record that follows `last`, canonical JSON and a line feed, and the head it makes. */
export function nextLine(
  last: Head,
  partition: string,
  event: AuditEvent,
): { head: ChainHead; line: string } {
  const text = canonical(event);
  const { seq, prev, hash } = seal(last, partition, text, native);
  const rest = canonical({ hash, partition, prev, seq }).slice(1);
  return { head: { seq, hash }, line: `{"event":${text},${rest}\n` };
}

export type CheckedLine =
  | { readonly record: AuditRecord }
  | { readonly fault: JournalFault; readonly eventId?: string }
  | { readonly version: unknown };

/** Reads one line, given without its line feed. A line counts only if it is byte for byte what would be written. */
export function checkLine(bytes: Uint8Array, last: Head, partition: string): CheckedLine {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return { fault: 'not-json' };
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) {
    const other = otherVersionSchema.safeParse(value);
    const version = other.success ? other.data.event.version : undefined;
    return version === undefined || version === 1 ? { fault: 'not-a-record' } : { version };
  }
  const record = parsed.data;
  const eventId = record.event.id;
  if (canonical(record) !== text) return { fault: 'not-a-record', eventId };
  const fault = chainFault(last, partition, record, native);
  return fault === undefined ? { record } : { fault, eventId };
}
