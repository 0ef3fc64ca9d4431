import type { PartitionHead } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { type BadRecord, checkDatabase } from './check-database.ts';
import { connections } from './connection.ts';
import { warningsOf } from './guards.ts';
import type { PublicKeys } from './keys.ts';

export interface VerifyDatabaseOptions {
  /** Chain ends that were kept elsewhere. Without them a chain that was cut off, or written anew, looks whole. */
  readonly heads?: readonly PartitionHead[];
  /**
   * The public keys of those who may retire old records. A chain that does not begin with its first record has to go on
   * from a break that is signed with one of them.
   */
  readonly key?: PublicKeys;
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
      /** What no longer keeps the record as it is, a line each: triggers, ids. Absent if all is there. */
      readonly warnings?: readonly string[];
    }
  | {
      readonly ok: false;
      /** The first bad record of the first bad chain. */
      readonly at: { readonly partition: string; readonly seq: number; readonly eventId?: string };
      /**
       * A `ChainFault` of core; `column`: a column says something else than the event; `order`: its position or stored time
       * is before that of the record before; `head`: not the record that was there once; `truncated`: the record is missing;
       * `break`: records up to this one were detached by nobody who has the key.
       */
      readonly fault: BadRecord['fault'];
    };

/**
 * Checks every chain of the database from its first record, or from where older ones were detached, to its last, in
 * constant memory; changes nothing. Chains that grow meanwhile are checked up to where they ended when it came to them.
 * @throws PostgresSchemaError, PostgresRoleError, PostgresUnavailableError
 */
export async function verifyDatabase(
  pool: Pool,
  { heads = [], readMs = 30_000, key, onProgress }: VerifyDatabaseOptions = {},
): Promise<DatabaseReport> {
  const withConnection = connections(pool);
  const { bad, count, heads: ends } = await checkDatabase(withConnection, { heads, key, onProgress, readMs });
  if (bad !== undefined) return { ok: false, ...bad };
  const warnings = await withConnection('looking at the triggers', readMs, warningsOf);
  return { ok: true, count, heads: ends, ...(warnings.length > 0 && { warnings }) };
}
