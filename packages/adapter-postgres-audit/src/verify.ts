import { hash } from 'node:crypto';
import { type ChainFault, type ChainHead, genesisHash, type PartitionHead } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { connections, type WithConnection } from './connection.ts';
import { headsOf } from './places.ts';
import { requireSchema } from './schema-version.ts';
import { columnFault } from './verify-columns.ts';
import { pageOf, type StoredRow } from './verify-page.ts';

export interface VerifyDatabaseOptions {
  /** Chain ends that were kept elsewhere. Without them a chain that was cut off, or written anew, looks whole. */
  readonly heads?: readonly PartitionHead[];
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
       * is before that of the record before; `head`: not the record that was there once; `truncated`: the record is missing.
       */
      readonly fault: Exclude<ChainFault, 'partition'> | 'column' | 'order' | 'head' | 'truncated';
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
    const checked = new ChainCheck(chain, known, await startOf(withConnection, readMs, chain));
    let page = readPage(withConnection, readMs, chain, checked.last?.seq);
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
  #stored = '';

  constructor(chain: string, known: readonly PartitionHead[], start: ChainHead | undefined) {
    this.#chain = chain;
    this.#known = new Map(known.map(({ seq, hash: at }) => [seq, at]));
    this.last = start;
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
    if (Number(position) <= this.#position || stored < this.#stored) return 'order';
    const known = this.#known.get(seq);
    if (known !== undefined && known !== expected) return 'head';
    this.last = { seq, hash: expected };
    this.#position = Number(position);
    this.#stored = stored;
    return undefined;
  }
}

/** Where a chain goes on whose older records were detached. */
function startOf(withConnection: WithConnection, ms: number, chain: string): Promise<ChainHead | undefined> {
  return withConnection('reading the breaks', ms, async (client) => {
    const { rows } = await client.query<{ seq: string; hash: string }>(
      'SELECT seq, hash FROM killswitch_audit.breaks WHERE chain = $1 ORDER BY seq DESC LIMIT 1',
      [chain],
    );
    const [last] = rows;
    return last && { seq: Number(last.seq), hash: last.hash };
  });
}

function readPage(withConnection: WithConnection, ms: number, chain: string, after: number | undefined) {
  return withConnection('reading', ms, (client) => pageOf(client, chain, after ?? -1));
}

function placeOf(partition: string, row: StoredRow) {
  return { partition, seq: Number(row[0]), eventId: row[6] };
}
