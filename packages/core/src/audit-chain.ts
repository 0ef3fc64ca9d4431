import type { AuditEvent } from './audit-event.ts';
import { canonical } from './canonical.ts';
import { sha256 } from './sha256.ts';

/**
 * An event on a hash chain. `hash` is the lower-case hex SHA-256 of `partition`, `seq`, `prev` and the canonical form of
 * the event, each followed by a line feed but the last; `prev` is the hash of the record before. `seq` counts from 0.
 */
export interface AuditRecord {
  /** Which chain it is on, an id: a journal's writer, `memory`, a workspace. Part of what is hashed. */
  readonly partition: string;
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  readonly event: AuditEvent;
}

/** Where a chain ends, or ended once. */
export type ChainHead = Pick<AuditRecord, 'seq' | 'hash'>;

/** What the first record of a chain names as the hash before it. */
export const genesisHash: string = '0'.repeat(64);

/** The record that follows `last` (none: starts a chain). */
export function chain(
  last: ChainHead | undefined,
  partition: string,
  event: AuditEvent,
  hash = sha256,
): AuditRecord {
  return { ...seal(last, partition, canonical(event), hash), event };
}

/** {@link chain} for a sink that has the event's canonical form already: everything of the record but the event. */
export function seal(
  last: ChainHead | undefined,
  partition: string,
  canonicalEvent: string,
  hash = sha256,
): Omit<AuditRecord, 'event'> {
  const seq = last === undefined ? 0 : last.seq + 1;
  const prev = last?.hash ?? genesisHash;
  return { partition, seq, prev, hash: hash(`${partition}\n${seq}\n${prev}\n${canonicalEvent}`) };
}

/**
 * Why a record cannot follow the one before it: `shape` (it is no record at all), `partition` (it is of another chain),
 * `sequence`, `link` (its `prev`) or `hash` (its own content).
 */
export type ChainFault = 'shape' | 'partition' | 'sequence' | 'link' | 'hash';

/** Checks one record of a chain against its predecessor; `undefined` if it is in order. Never throws. */
export function chainFault(
  last: ChainHead | undefined,
  partition: string,
  record: AuditRecord,
  hash = sha256,
): ChainFault | undefined {
  const text = textOf(record);
  if (text === undefined) return 'shape';
  if (record.partition !== partition) return 'partition';
  const expected = seal(last, partition, text, hash);
  if (record.seq !== expected.seq) return 'sequence';
  if (record.prev !== expected.prev) return 'link';
  return record.hash === expected.hash ? undefined : 'hash';
}

/** The event's canonical form, or `undefined` if this, whatever it was read from, is no record. */
function textOf(record: AuditRecord): string | undefined {
  try {
    const { partition, prev, hash, event } = record;
    const isSealed = [partition, prev, hash].every((text) => typeof text === 'string');
    return isSealed && typeof event === 'object' && event !== null ? canonical(event) : undefined;
  } catch {
    return undefined;
  }
}
