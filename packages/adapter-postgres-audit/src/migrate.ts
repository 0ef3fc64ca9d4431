import { readFile } from 'node:fs/promises';
import type { Pool, PoolClient } from 'pg';
import { connections } from './connection.ts';
import { PostgresSchemaError } from './errors.ts';
import { requireKnown, schemaVersion, versionOf } from './schema-version.ts';

const files = ['001-audit.sql'];

export interface MigrateOptions {
  /** How long it may take in all, in milliseconds. Default 60,000. */
  readonly deadlineMs?: number;
  /** For how many months from now there shall be partitions. Default 3. */
  readonly months?: number;
}

/**
 * Brings the tables to this package's version, in one transaction, and makes the partitions of the months to come. Of
 * several processes one does it and the others find it done. Needs a role that may create a schema.
 * @throws PostgresVersionError, PostgresSchemaError, PostgresRoleError, PostgresUnavailableError
 */
export async function migrate(pool: Pool, options: MigrateOptions = {}): Promise<void> {
  const { deadlineMs = 60_000, months = 3 } = options;
  const steps = await Promise.all(files.map(readMigration));
  let version = 0;
  await connections(pool)('migrating', deadlineMs, async (client) => {
    // It has a deadline of its own, and has to see what others have done while it waited for them.
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0');
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('killswitch_audit migrations', 0))`);
    version = await versionOf(client);
    if (version === 0) await requireNoRemains(client);
    for (const step of steps.slice(version)) await client.query(step);
    if (version <= schemaVersion) await client.query('SELECT killswitch_audit.make_partitions($1)', [months]);
    await client.query('COMMIT');
  });
  requireKnown(version);
}

/** A file that was run by hand, not in one transaction, and failed half-way. */
async function requireNoRemains(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ is_there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'killswitch_audit') AS is_there`,
  );
  if (rows[0]?.is_there !== true) return;
  throw new PostgresSchemaError(
    'There is a schema killswitch_audit that has no version, as after a migration that was only half run: drop it first',
  );
}

function readMigration(name: string): Promise<string> {
  return readFile(new URL(`../migrations/${name}`, import.meta.url), 'utf8');
}

/** The statements that let `role` keep and read the record, and nothing else: no change, no removal. */
export function grants(role: string): string {
  const name = `"${role.replaceAll('"', '""')}"`;
  return [
    `GRANT USAGE ON SCHEMA killswitch_audit TO ${name};`,
    `GRANT SELECT, INSERT ON killswitch_audit.records, killswitch_audit.event_ids TO ${name};`,
    `GRANT SELECT ON killswitch_audit.breaks, killswitch_audit.migrations TO ${name};`,
    `GRANT USAGE ON SEQUENCE killswitch_audit.position TO ${name};`,
    `GRANT EXECUTE ON FUNCTION killswitch_audit.append_1 TO ${name};`,
  ].join('\n');
}
