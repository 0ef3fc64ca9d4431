import type { AuditRecord } from './audit-chain.ts';
import { InvalidInputError } from './errors.ts';
import type { AuditQuery, AuditSink, RecordPlace } from './ports/audit-sink.ts';

/** Longest that the events of a page are together, in characters of JSON; a longer one comes alone (I12). */
const maxCharacters = 4 * 1024 * 1024;

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** The query's `after` for the page that follows. Absent on the last one. */
  readonly next?: RecordPlace;
}

/**
 * The first records that a query asks for, in reading order: `limit` at most (1 to 10,000), fewer where they are long.
 * @throws InvalidInputError for a limit out of range, and as `AuditSink.read`
 */
export async function auditPage(
  sink: Pick<AuditSink, 'read'>,
  query: AuditQuery,
  limit: number,
): Promise<AuditPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw new InvalidInputError('page', ['limit: must be a whole number from 1 to 10,000']);
  const records: AuditRecord[] = [];
  let left = maxCharacters;
  for await (const record of sink.read(query)) {
    const last = records.at(-1);
    left -= JSON.stringify(record.event).length;
    if (last !== undefined && (records.length === limit || left < 0))
      return { records, next: { partition: last.partition, seq: last.seq } };
    records.push(record);
  }
  return { records };
}
