import { InvalidConfigurationError } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { z } from 'zod';
import { keysSchema, type PublicKeys } from './keys.ts';

export interface PostgresAuditOptions {
  /** How long one append may take, waiting for a connection included, in milliseconds. Default 5,000. */
  readonly appendMs?: number;
  /** The same for each statement of a reading. Default 10,000. */
  readonly readMs?: number;
  /** The file that `writeCheckpoints` writes: `verify` holds the chains against what it says. Needs `key`. */
  readonly checkpoints?: string;
  /** The public keys of checkpoints and breaks. Without any `verify` takes no break that `retire` has made. */
  readonly key?: PublicKeys;
}

const milliseconds = z.number().int().min(1).max(2_147_483_647);
const settingsSchema = z
  .strictObject({
    appendMs: milliseconds.default(5_000),
    readMs: milliseconds.default(10_000),
    checkpoints: z.string().min(1).optional(),
    key: keysSchema.optional(),
  })
  .refine(({ checkpoints, key }) => checkpoints === undefined || key !== undefined, {
    path: ['checkpoints'],
    error: 'need the key that they are signed with',
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
