import { type AuditEvent, InvalidConfigurationError } from '@agent-killswitch/core';
import { z } from 'zod';

/** What happens between a journal and its sink that somebody should know. */
export type JournaledNews =
  /** The sink does not take events. They are in the journal, and are tried again. Told once per outage. */
  | { readonly type: 'delivery-failed'; readonly error: unknown }
  | { readonly type: 'delivery-restored' }
  /** The sink will never take this event: `audit.event-refused` stands on the record in its place. */
  | { readonly type: 'event-refused'; readonly event: AuditEvent; readonly error: unknown }
  /** The journal's file could not be written or was gone; what was to be written is durable in a new one. */
  | { readonly type: 'file-switched'; readonly path: string; readonly error: unknown }
  /** The journal cannot be written at all. An event is taken only if the sink itself takes it. Told once per outage. */
  | { readonly type: 'journal-failed'; readonly error: unknown }
  /** A file with events that the sink may not have is damaged or was deleted; what could be read was delivered. */
  | { readonly type: 'file-lost'; readonly path: string; readonly error: unknown }
  /**
   * Bytes at the end of a file are no whole line, as a crash leaves them, or somebody who cut it off. What stands before was
   * delivered, and the file is kept under this name.
   */
  | { readonly type: 'file-torn'; readonly path: string; readonly bytes: number }
  /** A file that was delivered cannot be removed. */
  | { readonly type: 'file-kept'; readonly path: string; readonly error: unknown };

export interface JournaledOptions {
  /** A file is left for a new one after this many events. Default 10,000. */
  readonly maxFileEvents?: number;
  /** How long `read` and `heads` wait for what is in the journal to be delivered, in milliseconds. Default 1,000. */
  readonly deliverMs?: number;
  /** Told what somebody should know. Default: one line on stderr. What it throws is ignored. */
  readonly onNews?: (news: JournaledNews) => void;
}

const settingsSchema = z.strictObject({
  maxFileEvents: z.number().int().min(1).max(1_000_000).default(10_000),
  deliverMs: z.number().int().min(1).max(2_147_483_647).default(1_000),
  onNews: z.custom<(news: JournaledNews) => void>((value) => typeof value === 'function').optional(),
});
export type JournaledSettings = z.output<typeof settingsSchema>;

/** @throws InvalidConfigurationError */
export function journaledSettings(options: JournaledOptions): JournaledSettings {
  const parsed = settingsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `journaled ${issue.path.join('.')}: ${issue.message}`);
  throw new InvalidConfigurationError(issues);
}
