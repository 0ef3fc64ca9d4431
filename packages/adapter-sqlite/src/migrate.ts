import type { DatabaseSync } from 'node:sqlite';
import { StateVersionError } from './errors.ts';

export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}

/**
 * Brings the file to the version of the last migration, all in one transaction: a crash leaves it as it was, and of two
 * processes one migrates while the other finds it done.
 * @throws StateVersionError if the file is newer.
 */
export function migrate(database: DatabaseSync, file: string, migrations: readonly string[]): void {
  if (versionOf(database) === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(database);
    if (version > migrations.length) throw tooNew(file, version, migrations.length);
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export function tooNew(file: string, version: number, known: number): StateVersionError {
  return new StateVersionError(
    `${file} has version ${version}, this package knows up to ${known}: update @agent-killswitch/adapter-sqlite`,
  );
}
