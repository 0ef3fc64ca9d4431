import type { PoolClient } from 'pg';
import { copyRows } from './copy-rows.ts';
import { StoredRow, selected } from './stored-row.ts';

/** Pages grow while they are quick to send, so that one never takes long. */
const page = { first: 250, most: 8_000, bytes: 8 * 1024 * 1024 };

export interface PageSize {
  readonly rows: number;
}
export const firstPage: PageSize = { rows: page.first };

/** How the page behind this one went. */
export interface PageRead {
  /** Whether the chain has no more. */
  readonly isLast: boolean;
  readonly next: PageSize;
}

/** Shows `look` the records of a chain from number `first` on, as far as the page goes, or until it says `false`. */
export async function readRows(
  client: PoolClient,
  chain: string,
  first: number,
  { rows }: PageSize,
  look: (row: StoredRow) => boolean,
): Promise<PageRead> {
  const row = new StoredRow();
  let count = 0;
  let bytes = 0;
  let isLooking = true;
  const statement = `COPY (
    SELECT ${selected} FROM killswitch_audit.records r
    WHERE chain = ${client.escapeLiteral(chain)} AND r.seq >= ${first} ORDER BY r.seq LIMIT ${rows}
  ) TO STDOUT (FORMAT binary)`;
  await copyRows(client, statement, (message) => {
    if (!isLooking || !row.read(message)) return;
    count += 1;
    bytes += message.length;
    isLooking = look(row);
  });
  const isQuick = bytes < page.bytes;
  const next = { rows: isQuick ? Math.min(rows * 2, page.most) : Math.max(Math.floor(rows / 2), 1) };
  return { isLast: count < rows, next };
}
