import { hash, type KeyObject } from 'node:crypto';
import { type ChainFault, type ChainHead, genesisHash, type PartitionHead } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { type Break, isSigned } from './break.ts';
import { connections, type WithConnection } from './connection.ts';
import { headsOf, lastBreak } from './places.ts';
import { requireSchema } from './schema-version.ts';
import { columnFault } from './verify-columns.ts';
import { pageOf, type StoredRow } from './verify-page.ts';

export interface VerifyDatabaseOptions {
  /** Chain ends that were kept elsewhere. Without them a chain that was cut off, or written anew, looks whole. */
  readonly heads?: readonly PartitionHead[];
  /**
   * The public key of those who may retire old records. A chain that does not begin with its first record has to go on
   * from a break that is signed with it.
   */
  readonly key?: KeyObject;
  /** Told now and then how many records were checked so far. */
  readonly onProgress?: (count: number) => void;
  /** How long one statement may take, in milliseconds. Default 30,000. */
  readonly readMs?: number;
}

export type DatabaseReport =
  | {
      readonly ok: true;
      readonly count: number;
      /** The end of each chain. */
      readonly heads: readonly PartitionHead[];
    }
  | {
      readonly ok: false;
      /** The first bad record of the first bad chain. */
      readonly at: { readonly partition: string; readonly seq: number; readonly eventId?: string };
      /**
       * A {@link ChainFault}; `column`: a column says something else than the event; `order`: its position or stored time
       * is before that of the record before; `head`: not the record that was there once; `truncated`: the record is missing;
       * `break`: records up to this one were detached by nobody who has the key.
       */
      readonly fault: Exclude<ChainFault, 'partition'> | 'column' | 'order' | 'head' | 'truncated' | 'break';
    };

/**
 * Checks every chain of the database from its first record, or from where older ones were detached, to its last, in
 * constant memory; changes nothing. Chains that grow meanwhile are checked up to where they ended when it came to them.
 * @throws PostgresSchemaError, PostgresRoleError, PostgresUnavailableError
 */
export async function verifyDatabase(
  pool: Pool,
  options: VerifyDatabaseOptions = {},
): Promise<DatabaseReport> {
  const { heads = [], readMs = 30_000, onProgress = () => {} } = options;
  const withConnection = connections(pool);
  const found = await withConnection('reading the heads', readMs, async (client) => {
    await requireSchema(client);
    return headsOf(client);
  });
  const chains = new Set([...found, ...heads].map(({ partition }) => partition));
  const ends: PartitionHead[] = [];
  let count = 0;
  for (const chain of [...chains].sort()) {
    const known = heads.filter(({ partition }) => partition === chain);
    const start = await withConnection('reading the breaks', readMs, (client) => lastBreak(client, chain));
    if (start !== undefined && (options.key === undefined || !isSigned(start, start.signature, options.key)))
      return { ok: false, at: { partition: chain, seq: start.seq }, fault: 'break' };
    const checked = new ChainCheck(chain, known, start);
    let page = readPage(withConnection, readMs, chain, -1);
    for (;;) {
      const rows = await page;
      const end = rows.at(-1);
      // The database reads the next page while this one is hashed.
      if (end !== undefined) {
        page = readPage(withConnection, readMs, chain, Number(end[0]));
        page.catch(() => {});
      }
      for (const row of rows) {
        const fault = checked.fault(row);
        if (fault === undefined) continue;
        await page.catch(() => {});
        return { ok: false, at: placeOf(chain, row), fault };
      }
      count += rows.length;
      onProgress(count);
      if (end === undefined) break;
    }
    const missing = known.find(({ seq }) => seq > (checked.last?.seq ?? -1));
    if (missing !== undefined) {
      const seq = (checked.last?.seq ?? -1) + 1;
      return { ok: false, at: { partition: chain, seq }, fault: 'truncated' };
    }
    if (checked.last !== undefined) ends.push({ partition: chain, ...checked.last });
  }
  return { ok: true, count, heads: ends };
}

type Fault = (DatabaseReport & { ok: false })['fault'];

class ChainCheck {
  readonly #chain: string;
  readonly #known: ReadonlyMap<number, string>;
  last: ChainHead | undefined;
  #position = -1;
  /** In microseconds. */
  #stored = -Infinity;

  constructor(chain: string, known: readonly PartitionHead[], start: Break | undefined) {
    this.#chain = chain;
    this.#known = new Map(known.map(({ seq, hash: at }) => [seq, at]));
    this.last = start && { seq: start.seq, hash: start.hash };
    this.#position = Number(start?.position ?? -1);
  }

  fault(row: StoredRow): Fault | undefined {
    const [seqText, prev, ownHash, event, position, stored] = row;
    const seq = this.last === undefined ? 0 : this.last.seq + 1;
    if (Number(seqText) !== seq) return 'sequence';
    if (prev !== (this.last?.hash ?? genesisHash)) return 'link';
    const expected = hash('sha256', `${this.#chain}\n${seq}\n${prev}\n${event}`, 'hex');
    if (ownHash !== expected) return 'hash';
    const fault = columnFault(this.#chain, row);
    if (fault !== undefined) return fault;
    const storedAt = Number(stored ?? Number.NaN);
    if (!(Number(position) > this.#position && storedAt >= this.#stored)) return 'order';
    const known = this.#known.get(seq);
    if (known !== undefined && known !== expected) return 'head';
    this.last = { seq, hash: expected };
    this.#position = Number(position);
    this.#stored = storedAt;
    return undefined;
  }
}

function readPage(withConnection: WithConnection, ms: number, chain: string, after: number) {
  return withConnection('reading', ms, (client) => pageOf(client, chain, after));
}

function placeOf(partition: string, row: StoredRow) {
  return { partition, seq: Number(row[0]), eventId: row[6] };
}
