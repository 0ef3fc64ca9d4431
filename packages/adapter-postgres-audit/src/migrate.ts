import { readFile } from 'node:fs/promises';
import type { Pool } from 'pg';
import { connections } from './connection.ts';
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
 * @throws PostgresVersionError, PostgresRoleError, PostgresUnavailableError
 */
export async function migrate(pool: Pool, options: MigrateOptions = {}): Promise<void> {
  const { deadlineMs = 60_000, months = 3 } = options;
  const steps = await Promise.all(files.map(readMigration));
  let version = 0;
  await connections(pool)('migrating', deadlineMs, async (client) => {
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('killswitch_audit migrations', 0))`);
    version = await versionOf(client);
    for (const step of steps.slice(version)) await client.query(step);
    if (version <= schemaVersion) await client.query('SELECT killswitch_audit.make_partitions($1)', [months]);
    await client.query('COMMIT');
  });
  requireKnown(version);
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
  ].join('\n');
}
