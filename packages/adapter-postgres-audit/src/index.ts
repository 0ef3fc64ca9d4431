export { type Checkpoint, keyIdOf, readCheckpoint, signCheckpoint } from './checkpoint.ts';
export {
  type CheckpointOptions,
  type Checkpoints,
  readCheckpoints,
  writeCheckpoints,
} from './checkpoint-file.ts';
export {
  PostgresRoleError,
  PostgresSchemaError,
  PostgresUnavailableError,
  PostgresVersionError,
} from './errors.ts';
export type { PublicKeys } from './keys.ts';
export { grants, type MigrateOptions, migrate } from './migrate.ts';
export type { PostgresAuditOptions } from './options.ts';
export { type PostgresAudit, postgresAudit } from './postgres-audit.ts';
export { type RetireOptions, retire } from './retire.ts';
export type { TimePage, TimeQuery } from './time-query.ts';
export { type DatabaseReport, type VerifyDatabaseOptions, verifyDatabase } from './verify.ts';
