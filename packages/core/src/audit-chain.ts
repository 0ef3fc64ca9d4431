import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { AuditEvent } from './audit-event.ts';

/**
 * An event on a hash chain. `hash` is the lower-case hex SHA-256 of `seq`, `prev` and the canonical form of the event,
 * each followed by a line feed but the last; `prev` is the hash of the record before. `seq` counts from 0.
 */
export interface AuditRecord {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  readonly event: AuditEvent;
}

/** Lower-case hex SHA-256 of a string's UTF-8 bytes. Injectable so that a host can use a native one. */
export type Sha256 = (text: string) => string;

export const sha256: Sha256 = (text) => bytesToHex(nobleSha256(utf8ToBytes(text)));

/** What the first record of a chain names as the hash before it. */
export const genesisHash: string = '0'.repeat(64);

/**
 * The one JSON text of a value: members sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript
 * writes them (RFC 8785, JSON Canonicalization Scheme). Members that are `undefined` are left out.
 * @throws TypeError for what JSON cannot hold: NaN, infinities, functions, bigints, symbols, holes in arrays, and
 * objects that are more than their members (a Date or a Map would read as `{}`).
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonical(item)).join(',')}]`;
  if (typeof value === 'object') {
    const kind = Object.prototype.toString.call(value);
    if (kind !== '[object Object]') throw new TypeError(`${kind} has no canonical form`);
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`A ${typeof value} has no canonical form`);
}

/** The record that follows `last` (none: starts a chain). */
export function chain(
  last: Pick<AuditRecord, 'seq' | 'hash'> | undefined,
  event: AuditEvent,
  hash = sha256,
): AuditRecord {
  const seq = last === undefined ? 0 : last.seq + 1;
  const prev = last?.hash ?? genesisHash;
  return { seq, prev, hash: hash(chainText(seq, prev, event)), event };
}

/** Why a record cannot follow the one before it: `sequence`, `link` (its `prev`) or `hash` (its own content). */
export type ChainFault = 'sequence' | 'link' | 'hash';

/** Checks one record against its predecessor; `undefined` if it is in order. */
export function chainFault(
  last: Pick<AuditRecord, 'seq' | 'hash'> | undefined,
  record: AuditRecord,
  hash = sha256,
): ChainFault | undefined {
  if (record.seq !== (last === undefined ? 0 : last.seq + 1)) return 'sequence';
  if (record.prev !== (last?.hash ?? genesisHash)) return 'link';
  if (record.hash !== hash(chainText(record.seq, record.prev, record.event))) return 'hash';
  return undefined;
}

function chainText(seq: number, prev: string, event: AuditEvent): string {
  return `${seq}\n${prev}\n${canonical(event)}`;
}
