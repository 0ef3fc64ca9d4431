import type { PoolClient } from 'pg';
import { columnNames } from './columns.ts';
import type { WithConnection } from './connection.ts';

const pageSize = 1_000;

/**
 * seq, prev, hash, event, position, stored_at in microseconds, then the columns in the order of `columnNames`, all as texts;
 * event_time in milliseconds.
 */
export type StoredRow = [
  seq: string,
  prev: string,
  hash: string,
  event: string,
  position: string,
  storedAt: string | null,
  eventId: string,
  ...columns: (string | null)[],
];

/** As whole numbers: for Postgres, writing a date is half the work of a page. Rounding keeps their order; infinity is NULL. */
const epoch = (column: string, unit: number): string =>
  `CASE WHEN isfinite(${column}) THEN (date_part('epoch', ${column}) * ${unit})::bigint::text END`;

const asText: Partial<Record<(typeof columnNames)[number], string>> = {
  event_time: epoch('event_time', 1_000),
  session_ids: `array_to_string(session_ids, ' ', '?')`,
};
const columns = columnNames.map((name) => asText[name] ?? name).join(', ');

/** The records of a chain from number `first` on. The database reads a page while the one before is looked at. */
export async function* pagesOf(
  withConnection: WithConnection,
  readMs: number,
  chain: string,
  first: number,
): AsyncGenerator<StoredRow[]> {
  const read = (after: number) => withConnection('reading', readMs, (client) => pageOf(client, chain, after));
  let page = read(first - 1);
  try {
    for (;;) {
      const rows = await page;
      const end = rows.at(-1);
      if (end === undefined) return;
      page = read(Number(end[0]));
      page.catch(() => {});
      yield rows;
    }
  } finally {
    await page.catch(() => {});
  }
}

/** The records of a chain behind `after`. */
async function pageOf(client: PoolClient, chain: string, after: number): Promise<StoredRow[]> {
  const { rows } = await client.query<StoredRow>({
    name: 'killswitch-audit-verify',
    text: `SELECT seq::text, prev, hash, event::text, position::text,
      ${epoch('stored_at', 1_000_000)}, ${columns}
      FROM killswitch_audit.records r WHERE chain = $1 AND r.seq > $2 ORDER BY r.seq LIMIT ${pageSize}`,
    values: [chain, after],
    rowMode: 'array',
  });
  return rows;
}
