import type { PoolClient } from 'pg';
import { type Columns, columnNames } from './columns.ts';
import type { Row } from './valid-events.ts';

/** Most that one statement carries. More goes in several, in one transaction. */
const most = { rows: 2_000, characters: 8 * 1024 * 1024 };

const parameters = [...columnNames.keys()].map((index) => `$${index + 3}`).join(', ');
const statement = `SELECT killswitch_audit.append_1($1, $2, ${parameters})`;

/** Puts the rows on record, all of them but those that are there already, or none. */
export async function appendRows(client: PoolClient, rows: readonly Row[]): Promise<void> {
  const parts = partsOf(rows);
  if (parts.length === 1) return appendPart(client, rows);
  await client.query('BEGIN');
  for (const part of parts) await appendPart(client, part);
  await client.query('COMMIT');
}

async function appendPart(client: PoolClient, rows: readonly Row[]): Promise<void> {
  const columns = columnNames.map((name: keyof Columns) => rows.map((row) => row.columns[name]));
  const values = [rows.map((row) => row.chain), rows.map((row) => row.text), ...columns];
  await client.query({ name: 'killswitch-audit-append', text: statement, values });
}

function partsOf(rows: readonly Row[]): (readonly Row[])[] {
  const parts: Row[][] = [];
  let part: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    if (part.length >= most.rows || (part.length > 0 && characters + row.text.length > most.characters)) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(row);
    characters += row.text.length;
  }
  return [...parts, part];
}
