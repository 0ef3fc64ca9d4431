import { type AuditRecord, canonical, chain } from '../audit-chain.ts';
import type { AuditEvent } from '../audit-event.ts';
import { type AuditSink, matchesQuery } from '../ports/audit-sink.ts';

export interface MemoryAudit extends AuditSink {
  /** Every record so far, in chain order. */
  records(): readonly AuditRecord[];
  /** Every event so far, in chain order. */
  events(): readonly AuditEvent[];
}

/**
 * An audit sink for unit tests: chained like the durable ones, drops a repeated event id, and keeps everything in
 * memory until it is dropped itself. An event is kept as its canonical JSON would be read back, so that changing the
 * object afterwards changes nothing on record.
 * @throws TypeError from `append`, if an event cannot be written as JSON; then nothing of the batch is kept.
 */
export function memoryAudit(): MemoryAudit {
  const records: AuditRecord[] = [];
  const ids = new Set<string>();

  return {
    async append(events) {
      const added: AuditRecord[] = [];
      const addedIds = new Set<string>();
      for (const given of events) {
        const event: AuditEvent = JSON.parse(canonical(given));
        if (ids.has(event.id) || addedIds.has(event.id)) continue;
        added.push(chain(added.at(-1) ?? records.at(-1), event));
        addedIds.add(event.id);
      }
      for (const record of added) {
        records.push(record);
        ids.add(record.event.id);
      }
    },
    async *read(query = {}) {
      for (const record of records.slice()) if (matchesQuery(query, record)) yield record;
    },
    async head() {
      const last = records.at(-1);
      return last && { seq: last.seq, hash: last.hash };
    },
    records: () => records.slice(),
    events: () => records.map((record) => record.event),
  };
}
