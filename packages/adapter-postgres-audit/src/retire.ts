import type { KeyObject } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { signBreak } from './break.ts';
import { connections } from './connection.ts';
import { PostgresSchemaError } from './errors.ts';
import { requireSigningKey } from './keys.ts';
import { requireSchema } from './schema-version.ts';

export interface RetireOptions {
  /** Months that ended before this are detached. */
  readonly before: Date;
  /** Ed25519: signs where the chains go on. */
  readonly privateKey: KeyObject;
  /** How long it may take in all, in milliseconds. Default 60,000. Appends wait for the end of it. */
  readonly deadlineMs?: number;
}

/**
 * Detaches whole months from the record, the oldest first, all or none, and notes for each chain in them where it goes
 * on. The detached tables stay in the schema, to be archived and dropped. Needs the owner of the tables.
 * @returns the tables that were detached
 * @throws InvalidConfigurationError for another key; PostgresSchemaError if a chain has older records elsewhere; PostgresRoleError; PostgresUnavailableError
 */
export async function retire(
  pool: Pool,
  { before, privateKey, deadlineMs = 60_000 }: RetireOptions,
): Promise<string[]> {
  requireSigningKey('retire', privateKey);
  return connections(pool)('retiring', deadlineMs, async (client) => {
    await requireSchema(client);
    await client.query(
      `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = 0;
       SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL timezone = 'UTC'`,
    );
    await client.query('LOCK TABLE killswitch_audit.records IN ACCESS EXCLUSIVE MODE');
    const months = await monthsBefore(client, before);
    for (const month of months) await detach(client, month, privateKey);
    await client.query('COMMIT');
    return months;
  });
}

/** Partitions that end at `before` or earlier, the oldest first; never the default one. */
async function monthsBefore(client: PoolClient, before: Date): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM (
       -- FOR VALUES FROM ('…') TO ('…'), or DEFAULT
       SELECT c.relname AS name, nullif(split_part(pg_get_expr(c.relpartbound, c.oid), '''', 4), '')::timestamptz AS ends
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'killswitch_audit.records'::regclass
     ) partitions WHERE ends <= $1 ORDER BY ends`,
    [before],
  );
  return rows.map(({ name }) => name);
}

async function detach(client: PoolClient, month: string, privateKey: KeyObject): Promise<void> {
  const table = `killswitch_audit."${month}"`;
  const { rows: ends } = await client.query<{ chain: string; seq: string; hash: string; position: string }>(
    `SELECT DISTINCT ON (chain) chain, seq, hash, position FROM ${table} ORDER BY chain, seq DESC`,
  );
  await client.query(`ALTER TABLE killswitch_audit.records DETACH PARTITION ${table}`);
  for (const { chain, seq, hash, position } of ends) {
    const { rowCount } = await client.query(
      'SELECT FROM killswitch_audit.records WHERE chain = $1 AND seq < $2 LIMIT 1',
      [chain, seq],
    );
    if (rowCount !== 0) {
      throw new PostgresSchemaError(
        `The chain "${chain}" has older records outside of ${month}, in the default partition: it cannot be retired`,
      );
    }
    // As a text, whatever this process has its driver make of a bigint: it is signed.
    const mark = { chain, seq: Number(seq), hash, position: String(position), detached: month };
    const { keyId, signature } = signBreak(mark, privateKey);
    await client.query(
      `INSERT INTO killswitch_audit.breaks (chain, seq, hash, position, detached, key_id, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [chain, seq, hash, position, month, keyId, signature],
    );
  }
}
