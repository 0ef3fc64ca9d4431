import { InvalidConfigurationError } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { z } from 'zod';

export interface PostgresAuditOptions {
  /** How long one append may take, waiting for a connection included, in milliseconds. Default 5,000. */
  readonly appendMs?: number;
  /** The same for each statement of a reading. Default 10,000. */
  readonly readMs?: number;
}

const milliseconds = z.number().int().min(1).max(2_147_483_647);
const settingsSchema = z.strictObject({
  appendMs: milliseconds.default(5_000),
  readMs: milliseconds.default(10_000),
});
export type Settings = z.output<typeof settingsSchema>;

/** @throws InvalidConfigurationError */
export function settingsOf(pool: Pool, options: PostgresAuditOptions): Settings {
  const issues: string[] = [];
  if (typeof pool?.connect !== 'function') issues.push('pool: must be a Pool of pg');
  const parsed = settingsSchema.safeParse(options);
  for (const issue of parsed.error?.issues ?? []) issues.push(`${issue.path.join('.')}: ${issue.message}`);
  if (!parsed.success || issues.length > 0) {
    throw new InvalidConfigurationError(issues.map((issue) => `postgresAudit ${issue}`));
  }
  return parsed.data;
}
