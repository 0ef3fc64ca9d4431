import type { PoolClient } from 'pg';
import { PostgresRoleError, PostgresSchemaError, PostgresVersionError } from './errors.ts';

/** The version of the newest migration that this package has. */
export const schemaVersion = 1;

/** The version of the tables; 0 where there are none. */
export async function versionOf(client: PoolClient): Promise<number> {
  const { rows: found } = await client.query<{ is_there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'killswitch_audit' AND c.relname = 'migrations') AS is_there`,
  );
  if (found[0]?.is_there !== true) return 0;
  const { rows } = await client.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM killswitch_audit.migrations',
  );
  return rows[0]?.version ?? 0;
}

/** @throws PostgresVersionError */
export function requireKnown(version: number): void {
  if (version <= schemaVersion) return;
  throw new PostgresVersionError(
    `The audit tables have version ${version}, this package knows up to ${schemaVersion}: ` +
      'update @agent-killswitch/adapter-postgres-audit',
  );
}

/** That the tables are those of this version. @throws PostgresSchemaError, PostgresVersionError, PostgresRoleError */
export async function requireSchema(client: PoolClient): Promise<void> {
  const version = await versionOf(client);
  requireKnown(version);
  if (version < schemaVersion) {
    const state = version === 0 ? 'There are no audit tables' : `The audit tables have version ${version}`;
    throw new PostgresSchemaError(`${state}, version ${schemaVersion} is needed: run migrate()`);
  }
}

/** What a statement has to know of the sessions of this pool. */
export interface WriterSession {
  /** Whether a statement by itself is READ COMMITTED. */
  readonly isReadCommitted: boolean;
}

/** That this role can keep a record in this database. @throws as {@link requireSchema} */
export async function requireWriter(client: PoolClient): Promise<WriterSession> {
  await requireSchema(client);
  const { rows } = await client.query<{
    encoding: string;
    role: string;
    may: boolean;
    isolation: string;
    array_nulls: string;
  }>(
    `SELECT current_setting('server_encoding') AS encoding, current_user AS role,
       current_setting('transaction_isolation') AS isolation, current_setting('array_nulls') AS array_nulls,
       has_table_privilege('killswitch_audit.records', 'SELECT')
       AND has_table_privilege('killswitch_audit.records', 'INSERT')
       AND has_table_privilege('killswitch_audit.event_ids', 'INSERT')
       AND has_table_privilege('killswitch_audit.event_ids', 'SELECT')
       AND has_table_privilege('killswitch_audit.breaks', 'SELECT')
       AND has_sequence_privilege('killswitch_audit.position', 'USAGE')
       AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_proc WHERE pronamespace = 'killswitch_audit'::regnamespace
           AND proname = 'append_1' AND NOT has_function_privilege(oid, 'EXECUTE')
       ) AS may`,
  );
  const [found] = rows;
  if (found?.encoding !== 'UTF8') {
    throw new PostgresSchemaError(
      `The database is in ${found?.encoding}: the audit record needs one in UTF8`,
    );
  }
  // What an event has not would be the text "NULL" in its columns, for good.
  if (found.array_nulls !== 'on') {
    throw new PostgresSchemaError('The setting array_nulls is off: the audit record needs it on');
  }
  if (!found.may) {
    throw new PostgresRoleError(
      `The role "${found.role}" may not write the audit record: give it grants(role)`,
    );
  }
  return { isReadCommitted: found.isolation === 'read committed' };
}
