import type { PartitionHead, RecordPlace } from '@agent-killswitch/core';
import type { PoolClient } from 'pg';
import type { Break } from './break.ts';

/** Jumps from chain to chain in the index, however long they are. A chain whose records were all detached ends in its break. */
export const headsStatement = `
  WITH RECURSIVE chains (chain) AS (
    (SELECT chain FROM killswitch_audit.records ORDER BY chain LIMIT 1)
    UNION ALL
    SELECT next.chain FROM chains, LATERAL (
      SELECT r.chain FROM killswitch_audit.records r WHERE r.chain > chains.chain ORDER BY r.chain LIMIT 1
    ) next
  )
  SELECT chain AS partition, head.seq, head.hash FROM chains, LATERAL (
    SELECT r.seq, r.hash FROM killswitch_audit.records r WHERE r.chain = chains.chain ORDER BY r.seq DESC LIMIT 1
  ) head
  UNION ALL (
    SELECT DISTINCT ON (chain) chain, seq, hash FROM killswitch_audit.breaks b
    WHERE NOT EXISTS (SELECT FROM killswitch_audit.records r WHERE r.chain = b.chain) ORDER BY chain, seq DESC
  )`;

export async function headsOf(client: PoolClient): Promise<PartitionHead[]> {
  const { rows } = await client.query<{ partition: string; seq: string; hash: string }>(headsStatement);
  return rows.map(({ partition, seq, hash }) => ({ partition, seq: Number(seq), hash }));
}

/** The position of the newest record of all; "0" where there is none. */
export async function lastPosition(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ last: string }>(
    'SELECT coalesce(max(position), 0) AS last FROM killswitch_audit.records',
  );
  return rows[0]?.last ?? '0';
}

/** The position of a record, or the end of the detached part of the chain that it was in; `undefined`: not on file. */
export async function positionOf(client: PoolClient, place: RecordPlace): Promise<string | undefined> {
  if (!Number.isSafeInteger(place.seq) || place.seq < 0 || place.partition.includes('\0')) return undefined;
  const { rows } = await client.query<{ position: string }>(
    `SELECT position FROM killswitch_audit.records WHERE chain = $1 AND seq = $2
     UNION ALL (
       SELECT position FROM killswitch_audit.breaks WHERE chain = $1 AND seq >= $2 ORDER BY seq LIMIT 1
     ) LIMIT 1`,
    [place.partition, place.seq],
  );
  return rows[0]?.position;
}

/** The newest break of a chain: what it goes on from. */
export async function lastBreak(
  client: PoolClient,
  chain: string,
): Promise<(Break & { readonly signature: string }) | undefined> {
  const { rows } = await client.query<Omit<Break, 'seq'> & { seq: string; signature: string }>(
    `SELECT chain, seq, hash, position, detached, signature FROM killswitch_audit.breaks WHERE chain = $1
     ORDER BY seq DESC LIMIT 1`,
    [chain],
  );
  const [last] = rows;
  return last && { ...last, seq: Number(last.seq), position: String(last.position) };
}
