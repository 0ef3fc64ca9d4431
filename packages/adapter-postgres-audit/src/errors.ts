import { describeError, InvalidInputError, isKillswitchError, KillswitchError } from '@agent-killswitch/core';

/** The database lacks the tables of this package, or some of them. Run `migrate()` or the files in `migrations`. */
export class PostgresSchemaError extends KillswitchError {
  readonly code = 'postgres-schema';
}

/** The tables were made by a newer version of this package. Nothing was changed. */
export class PostgresVersionError extends KillswitchError {
  readonly code = 'postgres-version';
}

/** The role that the pool connects as may not do this. `grants` has what it needs. */
export class PostgresRoleError extends KillswitchError {
  readonly code = 'postgres-role';
}

/**
 * Postgres did not answer in time, or not as it should. The call can be repeated: an event that turns out to be on
 * record is dropped.
 */
export class PostgresUnavailableError extends KillswitchError {
  readonly code = 'postgres-unavailable';
  /** Where Postgres gave one, such as `53300` (too many connections). */
  readonly sqlState?: string;

  constructor(what: string, cause: unknown) {
    super(`Postgres failed at ${what}: ${describeError(cause)}`, { cause });
    const sqlState = sqlStateOf(cause);
    if (sqlState !== undefined) this.sqlState = sqlState;
  }
}

const undefinedThings = new Set(['3F000', '42P01', '42883', '42703']);

/** The name of what writes. */
export const appending = 'appending';

/** What a failed query means to a caller. */
export function faultOf(what: string, error: unknown): KillswitchError {
  if (isKillswitchError(error) && !isKillswitchError(error, 'deadline')) return error;
  const sqlState = sqlStateOf(error);
  const options = { cause: error };
  if (sqlState !== undefined && undefinedThings.has(sqlState)) {
    const message = `The audit tables are missing or of another version (${describeError(error)}): run migrate()`;
    return new PostgresSchemaError(message, options);
  }
  if (sqlState === '42501') {
    const message = `The database role may not do what ${what} needs (${describeError(error)}): give it grants(role)`;
    return new PostgresRoleError(message, options);
  }
  // Data exceptions and limits of the program: the same events fail in the same way every time.
  if (what === appending && sqlState !== undefined && /^(22|54)/.test(sqlState))
    return new InvalidInputError(what, [describeError(error)]);
  return new PostgresUnavailableError(what, error);
}

function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
