import { idSchema } from '@agent-killswitch/core';
import { z } from 'zod';

/** What an agent last said of its work. */
export const checkpointSchema = z.strictObject({
  /** The value, as JSON. */
  json: z.string(),
  /** Milliseconds since the Unix epoch. */
  savedAt: z.number().int().nonnegative(),
  /** 1 for the session's first. */
  number: z.number().int().positive(),
});

/**
 * What a session store keeps. Whether a session lives, who killed it and why is not in here: that is the agent's record, in
 * the killswitch's state.
 */
export const sessionRecordSchema = z.strictObject({
  sessionId: idSchema,
  workspaceId: idSchema,
  /** Milliseconds since the Unix epoch. */
  startedAt: z.number().int().nonnegative(),
  checkpoint: checkpointSchema.exactOptional(),
});
export type SessionRecord = z.infer<typeof sessionRecordSchema>;

/** Where a session stands among all, as text that sorts by its start. */
export function placeOf({ startedAt, sessionId }: SessionRecord): string {
  return `${String(startedAt).padStart(15, '0')}:${sessionId}`;
}
