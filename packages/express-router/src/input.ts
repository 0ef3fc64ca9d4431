import { idSchema, maxReasonLength, parseInput } from '@agent-killswitch/core';
import { z } from 'zod';

/** `:id` in a path. */
export const idParam = z.strictObject({ id: idSchema });

/** `:agentId` in a path. */
export const agentParam = z.strictObject({ agentId: idSchema });

/** The core judges what a reason is; here it only has to be a string. */
const reason = z.string(`is required: say why, in at most ${maxReasonLength} characters`);

export const reasonBody = z.strictObject({ reason });

export const holdBody = z.strictObject({ reason, hold: z.boolean().default(false) });

export const killAllBody = z.strictObject({ reason, workspaceId: idSchema.optional() });

export const maybeReason = z.strictObject({ reason: z.string().optional() });

/** A reason that may have been given in several places. @throws InvalidInputError if it was given in none */
export function givenReason(given: string | undefined): string {
  return parseInput('body', reasonBody, { reason: given }).reason;
}
