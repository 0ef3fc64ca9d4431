import type { PoolClient } from 'pg';
import { type Columns, columnNames } from './columns.ts';
import { joined, sizeOf } from './statement-size.ts';
import type { Row } from './valid-events.ts';

const parameters = [...columnNames.keys()].map((index) => `$${index + 4}`).join(', ');
/** Without a name: a pooler that hands out connections by transaction would not know it on the next one. */
const statement = `SELECT killswitch_audit.append_1($1, $2, $3, ${parameters})`;

/** A writer that is stopped in the middle of a transaction must not keep its chains locked for good. */
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '5s'";

export interface Appending {
  /** Waits so long at most for each chain that somebody else is writing to. */
  readonly waitMs: number;
  /** Whether a statement by itself is READ COMMITTED. */
  readonly isReadCommitted: boolean;
}

/** Puts the rows on record, all of them but those that are there already, or none. */
export async function appendRows(
  client: PoolClient,
  rows: readonly Row[],
  { waitMs, isReadCommitted }: Appending,
): Promise<void> {
  const parts = partsOf(rows);
  if (parts.length === 1 && isReadCommitted) return appendPart(client, rows, waitMs);
  await client.query(begin);
  for (const part of parts) await appendPart(client, part, waitMs);
  await client.query('COMMIT');
}

async function appendPart(client: PoolClient, rows: readonly Row[], waitMs: number): Promise<void> {
  const columns = columnNames.map((name: keyof Columns) => rows.map((row) => row.columns[name]));
  const values = [waitMs, rows.map((row) => row.chain), rows.map((row) => row.text), ...columns];
  await client.query(statement, values);
}

/** What one statement carries each. */
function partsOf(rows: readonly Row[]): (readonly Row[])[] {
  const parts: Row[][] = [];
  let part: Row[] = [];
  let size = sizeOf(part);
  for (const row of rows) {
    const both = joined(size, sizeOf([row]));
    if (both === undefined && part.length > 0) {
      parts.push(part);
      part = [];
    }
    size = part.length === 0 ? sizeOf([row]) : (both ?? sizeOf([row]));
    part.push(row);
  }
  return [...parts, part];
}
