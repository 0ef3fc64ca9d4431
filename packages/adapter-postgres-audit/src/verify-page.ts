import type { PoolClient } from 'pg';
import { columnNames } from './columns.ts';

const pageSize = 1_000;

/** seq, prev, hash, event, position, stored_at, then the columns in the order of `columnNames`, all as texts. */
export type StoredRow = [
  seq: string,
  prev: string,
  hash: string,
  event: string,
  position: string,
  storedAt: string,
  eventId: string,
  ...columns: (string | null)[],
];

const asText: Partial<Record<(typeof columnNames)[number], string>> = {
  event_time: `to_char(event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
  session_ids: `array_to_string(session_ids, ' ', '?')`,
};
const columns = columnNames.map((name) => asText[name] ?? name).join(', ');

/** The records of a chain behind `after`. */
export async function pageOf(client: PoolClient, chain: string, after: number): Promise<StoredRow[]> {
  const { rows } = await client.query<StoredRow>({
    name: 'killswitch-audit-verify',
    text: `SELECT seq::text, prev, hash, event::text, position::text,
      to_char(stored_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), ${columns}
      FROM killswitch_audit.records r WHERE chain = $1 AND r.seq > $2 ORDER BY r.seq LIMIT ${pageSize}`,
    values: [chain, after],
    rowMode: 'array',
  });
  return rows;
}
