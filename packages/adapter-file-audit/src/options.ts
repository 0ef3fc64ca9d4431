import { InvalidConfigurationError } from '@agent-killswitch/core';
import { z } from 'zod';
import type { JournalRepair } from './torn-tail.ts';

export interface FileJournalOptions {
  /**
   * Names the file, `<directory>/<writer>.jsonl`; 1 to 100 of `A-Z a-z 0-9 . _ @ + = ~ -`, not starting with a dot.
   * Default `journal`. Processes that share a directory need different ones.
   */
  readonly writer?: string;
  /** How long one append, or one read of a piece of the file, may take, in milliseconds. Default 5,000. */
  readonly deadlineMs?: number;
  /** How long `open()` waits, in milliseconds. Default 60,000. The opening itself goes on. */
  readonly openDeadlineMs?: number;
  /** Told after a torn last line was cut off. What it throws is ignored. */
  readonly onRepair?: (repair: JournalRepair) => void;
}

/** What a writer may be named. */
export const writerPattern: RegExp = /^[A-Za-z0-9_@+=~-][A-Za-z0-9._@+=~-]{0,99}$/;

const milliseconds = z.number().int().min(1).max(2_147_483_647);
const settingsSchema = z.strictObject({
  directory: z
    .string()
    .min(1)
    .refine((text) => !text.includes('\0'), 'must not hold NUL'),
  writer: z.string().regex(writerPattern, 'must be 1 to 100 of A-Z a-z 0-9 . _ @ + = ~ -').default('journal'),
  deadlineMs: milliseconds.default(5_000),
  openDeadlineMs: milliseconds.default(60_000),
  onRepair: z.custom<(repair: JournalRepair) => void>((value) => typeof value === 'function').optional(),
});
export type Settings = z.output<typeof settingsSchema>;

/** @throws InvalidConfigurationError */
export function settingsOf(directory: string, options: FileJournalOptions): Settings {
  const parsed = settingsSchema.safeParse({ ...options, directory });
  if (parsed.success) return parsed.data;
  throw new InvalidConfigurationError(
    parsed.error.issues.map((issue) => `fileJournal ${issue.path.join('.')}: ${issue.message}`),
  );
}
