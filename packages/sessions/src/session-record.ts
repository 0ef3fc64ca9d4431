import { describeError, idSchema } from '@agent-killswitch/core';
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

/** This one record cannot be read, whatever is the matter with others. */
export class UnreadableRecordError extends Error {
  constructor(where: string, cause: unknown) {
    super(`${where} cannot be read: ${describeError(cause)}`, { cause });
  }
}

/** @param where what holds the text, for the error. @throws UnreadableRecordError */
export function recordOf(sessionId: string, text: string, where: string): SessionRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes what is in it.
    throw new UnreadableRecordError(where, 'it is not JSON');
  }
  const parsed = sessionRecordSchema.safeParse(value);
  if (!parsed.success) throw new UnreadableRecordError(where, 'it is no session');
  // A copy, or a file system to which two ids are one name (I11).
  if (parsed.data.sessionId === sessionId) return parsed.data;
  throw new UnreadableRecordError(where, `it is that of session "${parsed.data.sessionId}"`);
}
