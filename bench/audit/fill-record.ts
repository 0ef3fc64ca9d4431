import { hash } from 'node:crypto';
import { type AuditEvent, type ChainHead, canonical, iso, type Sha256, seal } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { killedEvent } from '../../test/support/audit-events.ts';
import { copyIn } from './copy-in.ts';
import { killColumnNames, killColumns } from './kill-columns.ts';

const batch = 5_000;
const chains = 5;
const since = Date.UTC(2020, 0, 15);
const native: Sha256 = (text) => hash('sha256', text, 'hex');

/**
 * Puts so many kills on record, on chains of their own and in a month of their own, as `append` would have put them there:
 * the month's indexes are made when all of it is there, which takes a fraction of the time.
 */
export async function fillRecord(pool: Pool, count: number): Promise<void> {
  const month = 'killswitch_audit.records_2020_01';
  const client = await pool.connect();
  await client.query(`CREATE TABLE ${month} (LIKE killswitch_audit.records INCLUDING ALL EXCLUDING INDEXES)`);
  const target = `${month} (position, seq, stored_at, ${killColumnNames.join(', ')})`;
  const heads = new Map<string, ChainHead>();
  const lineOf = (n: number): string => {
    const workspaceId = `filled-${n % chains}`;
    const event: AuditEvent = { ...killedEvent(n), id: `filled-${n}`, workspaceId };
    const sealed = seal(heads.get(workspaceId), workspaceId, canonical(event), native);
    heads.set(workspaceId, sealed);
    // None of these texts has anything that would have to be escaped.
    return [n, sealed.seq, iso(since + n), ...killColumns(event, sealed.prev, sealed.hash)].join('\t');
  };
  for (let n = 0; n < count; n += batch) {
    const lines = Array.from({ length: Math.min(batch, count - n) }, (_, index) => lineOf(n + index));
    await copyIn(client, target, lines);
  }
  await client.query(`ALTER TABLE killswitch_audit.records ATTACH PARTITION ${month}
    FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z')`);
  await client.query(`SELECT killswitch_audit.protect('${month}', true)`);
  client.release();
}
