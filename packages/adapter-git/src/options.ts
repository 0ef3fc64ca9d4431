import { InvalidConfigurationError, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import type { Salvaged } from './salvage.ts';

const fn = <F>() => z.custom<F>((value) => typeof value === 'function', 'must be a function');
const longestMs = 24 * 60 * 60 * 1_000;

const salvageSchema = z.strictObject({
  /** Most bytes of changed and untracked files to keep per worktree, smallest files first. Default 256 MiB. */
  maxBytes: z.number().int().nonnegative().default(268_435_456),
  /** Most changed and untracked files to keep per worktree. Default 100,000. */
  maxFiles: z.number().int().nonnegative().default(100_000),
});
export type SalvageLimits = z.output<typeof salvageSchema>;

const optionsSchema = z.strictObject({
  /** The folder in which worktrees lie, absolute, the killswitch's own. It is made if it is not there. */
  root: z.string(),
  /** The step's name in ledgers. Default `worktree`. */
  name: idSchema.default('worktree'),
  /** Keeps uncommitted and unpushed work in its repository before the worktree is deleted. `false`: never. Default: with the default limits. */
  salvage: z.union([z.literal(false), salvageSchema]).prefault({}),
  /** How long one call of git may take before it is killed with its children, in milliseconds. Default 60,000. */
  gitDeadlineMs: z.number().int().min(100).max(longestMs).default(60_000),
  /**
   * When what could not be salvaged or deleted is tried again, in milliseconds; after that twice as long each time, at most
   * ten minutes. Default 5,000.
   */
  retryAfterMs: z.number().int().min(10).max(600_000).default(5_000),
  /** Told of each salvage that was stored. */
  onSalvage: fn<(salvaged: Salvaged) => void>().optional(),
  /**
   * Told what could not be salvaged or deleted after a removal, and is kept: a SalvageFailedError, a
   * DeletionFailedError, or a RootRefusedError. Default: one line on stderr.
   */
  onProblem: fn<(error: Error) => void>().optional(),
});
export type WorktreeRemovalOptions = z.input<typeof optionsSchema>;
export type Settings = z.output<typeof optionsSchema>;

/** @throws InvalidConfigurationError */
export function parseOptions(options: WorktreeRemovalOptions): Settings {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new InvalidConfigurationError(
    parsed.error.issues.map((issue) => `worktreeRemoval ${issue.path.join('.')}: ${issue.message}`),
  );
}
