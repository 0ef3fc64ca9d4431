import { type AuditRecord, type ChainFault, type ChainHead, chainFault } from './audit-chain.ts';
import type { Sha256 } from './sha256.ts';

export interface VerifyOptions {
  /** Which chain the records are of. Default: the one that the first of them names. */
  readonly partition?: string;
  /**
   * A record that was on the chain once, for example what `heads()` said when that was last copied elsewhere. Without it a
   * chain that was cut off at its end, or written anew from somewhere on, looks whole.
   */
  readonly head?: ChainHead | undefined;
  /** Default: the portable one. */
  readonly hash?: Sha256;
}

export type ChainReport =
  | {
      readonly ok: true;
      readonly count: number;
      /** The last record; absent on an empty chain. */
      readonly head?: ChainHead;
    }
  | {
      readonly ok: false;
      /** The first bad record: the `seq` it says it has, how many came before it, and its event's id. */
      readonly at: { readonly seq: number; readonly index: number; readonly eventId?: string };
      /** A {@link ChainFault}, `head` (not the record that was there once), or `truncated` (the record is missing). */
      readonly fault: ChainFault | 'head' | 'truncated';
    };

/**
 * Checks a whole chain from its first record on, holding one record at a time. Rejects only with what reading the
 * records rejects with.
 */
export async function verifyChain(
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  { partition, head, hash }: VerifyOptions = {},
): Promise<ChainReport> {
  let last: AuditRecord | undefined;
  let index = 0;
  for await (const record of records) {
    const expected = partition ?? last?.partition ?? record?.partition;
    const isOther = head !== undefined && record?.seq === head.seq && record.hash !== head.hash;
    const fault = chainFault(last, expected, record, hash) ?? (isOther ? 'head' : undefined);
    if (fault !== undefined) return { ok: false, at: placeOf(record, index), fault };
    last = record;
    index += 1;
  }
  if (head !== undefined && head.seq >= index) {
    return { ok: false, at: { seq: index, index }, fault: 'truncated' };
  }
  return { ok: true, count: index, ...(last && { head: { seq: last.seq, hash: last.hash } }) };
}

/** Records may come from anywhere: what is no record has neither number nor id. */
function placeOf(record: AuditRecord, index: number) {
  const eventId: unknown = record?.event?.id;
  const seq = typeof record?.seq === 'number' ? record.seq : index;
  return { seq, index, ...(typeof eventId === 'string' && { eventId }) };
}
