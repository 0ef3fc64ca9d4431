import { type AuditEvent, type AuditRecord, chain } from '@agent-killswitch/core';
import type { SeededRandom } from './seeded-random.ts';

/** What somebody could do to a stored chain without knowing how to forge the rest of it. */
export const tamperings = [
  'flip-event',
  'flip-hash',
  'flip-prev',
  'renumber',
  'delete',
  'cut-end',
  'reorder',
  'duplicate',
  'insert',
  'rewrite',
  'relabel',
  'splice',
] as const;
export type Tampering = (typeof tamperings)[number];

/** A changed copy; the records given stay as they are. Never the same as what was given. */
export function tamper(
  kind: Tampering,
  records: readonly AuditRecord[],
  random: SeededRandom,
): AuditRecord[] {
  const at = random.integer(0, records.length);
  const record = records[at] as AuditRecord;
  switch (kind) {
    case 'flip-event':
      return records.with(at, { ...record, event: flipEvent(record.event, random) });
    case 'flip-hash':
      return records.with(at, { ...record, hash: flipCharacter(record.hash, random) });
    case 'flip-prev':
      return records.with(at, { ...record, prev: flipCharacter(record.prev, random) });
    case 'renumber':
      return records.with(at, { ...record, seq: record.seq + random.pick([-1, 1, 1_000]) });
    case 'delete':
      return records.toSpliced(at, 1);
    case 'cut-end':
      return records.slice(0, at);
    case 'reorder': {
      const other = (at + random.integer(1, records.length)) % records.length;
      return records.with(at, records[other] as AuditRecord).with(other, record);
    }
    case 'duplicate':
      return records.toSpliced(random.integer(0, records.length + 1), 0, record);
    case 'insert':
      // A record of its own making, rightly chained to the one before it: the one after it gives it away.
      return records.toSpliced(
        at,
        0,
        chain(records[at - 1], record.partition, flipEvent(record.event, random)),
      );
    case 'rewrite':
      // The same in place of a record; at the end only the known head gives it away.
      return records.with(at, chain(records[at - 1], record.partition, flipEvent(record.event, random)));
    case 'relabel':
      return records.with(at, { ...record, partition: flipCharacter(record.partition, random) });
    case 'splice':
      // From here on another chain with the same events: only its name tells the two apart.
      return [...records.slice(0, at), ...otherChain(records).slice(at)];
  }
}

function otherChain(records: readonly AuditRecord[]): AuditRecord[] {
  const other: AuditRecord[] = [];
  for (const { event } of records) other.push(chain(other.at(-1), 'other', event));
  return other;
}

/** The event with one character of one of its texts changed, or one of its flags. */
function flipEvent(event: AuditEvent, random: SeededRandom): AuditEvent {
  const members = Object.entries(event).filter(
    ([, value]) => typeof value === 'string' || typeof value === 'boolean',
  );
  const [name, value] = random.pick(members);
  return { ...event, [name]: typeof value === 'string' ? flipCharacter(value, random) : !value };
}

/** The text with one of its UTF-16 units changed to another. */
function flipCharacter(text: string, random: SeededRandom): string {
  if (text === '') return 'x';
  const at = random.integer(0, text.length);
  const changed = String.fromCharCode(text.charCodeAt(at) ^ (1 << random.integer(0, 7)));
  return text.slice(0, at) + changed + text.slice(at + 1);
}
