import { type AuditRecord, seal } from '../audit-chain.ts';
import type { AuditEvent } from '../audit-event.ts';
import { canonical } from '../canonical.ts';
import { type AuditSink, matchesQuery, type PartitionHead, requireOnFile } from '../ports/audit-sink.ts';
import { verifyChain } from '../verify-chain.ts';

const partition = 'memory';

export interface MemoryAudit extends AuditSink {
  /** Every record so far, in chain order. */
  records(): readonly AuditRecord[];
  /** Every event so far, in chain order. */
  events(): readonly AuditEvent[];
}

/**
 * An audit sink for unit tests: chained like the durable ones, drops a repeated event id, and keeps everything in
 * memory until it is dropped itself. An event is kept as its canonical JSON would be read back, so that changing the
 * object afterwards changes nothing on record. Hashes are worked out when a record or a head is asked for: nobody sees
 * the chain earlier, and a test that never looks at it does not pay for it (decision 020).
 * @throws TypeError from `append`, if an event cannot be written as JSON; then nothing of the batch is kept.
 */
export function memoryAudit(): MemoryAudit {
  const ids = new Set<string>();
  const chain: Sealed[] = [];
  /** Canonical events that are not on the chain yet. */
  let unchained: string[] = [];
  const chained = (): readonly Sealed[] => {
    for (const text of unchained) {
      const sealed = seal(chain.at(-1)?.sealed, partition, text);
      chain.push({ sealed: { ...sealed, hash: flat(sealed.hash) }, text });
    }
    unchained = [];
    return chain;
  };
  const heads = (): readonly PartitionHead[] => {
    const last = chained().at(-1)?.sealed;
    return last === undefined ? [] : [{ partition, seq: last.seq, hash: last.hash }];
  };

  return {
    async append(events) {
      const texts = events.map((event) => flat(canonical(event)));
      events.forEach(({ id }, i) => {
        const text = texts[i];
        if (text === undefined || ids.has(id)) return;
        ids.add(id);
        unchained.push(text);
      });
    },
    async *read(query = {}) {
      requireOnFile(query, heads());
      for (const record of chained().map(recordOf)) if (matchesQuery(query, record)) yield record;
    },
    heads: async () => heads(),
    async verify({ after } = {}) {
      const all = chained().map(recordOf);
      const report = await verifyChain(all, { partition, head: after });
      const from = after === undefined ? 0 : after.seq + 1;
      const end = report.ok ? all.length : report.at.index;
      const last = all[end - 1];
      const checked = {
        count: Math.max(0, end - from),
        isAnchored: false,
        ...(last && { upTo: { partition, seq: last.seq, hash: last.hash } }),
      };
      if (report.ok) return { ok: true, isComplete: true, ...checked };
      const { at, fault } = report;
      const eventId = at.eventId === undefined ? {} : { eventId: at.eventId };
      return { ok: false, at: { partition, seq: at.index, ...eventId }, fault, ...checked };
    },
    records: () => chained().map(recordOf),
    events: () => chained().map((each) => recordOf(each).event),
  };
}

/**
 * The same text in one piece. One that was put together from many takes several times as much memory, until a character of it
 * is looked at; and a compiler leaves out a look that nothing depends on.
 */
function flat(text: string): string {
  return text.charCodeAt(0) === 0 ? `${text}` : text;
}

/** An event on the chain: its text is read back only when somebody asks for the record. */
interface Sealed {
  readonly sealed: ReturnType<typeof seal>;
  readonly text: string;
  record?: AuditRecord;
}

function recordOf(one: Sealed): AuditRecord {
  one.record ??= { ...one.sealed, event: JSON.parse(one.text) };
  return one.record;
}
