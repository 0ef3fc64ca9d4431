import { InvalidInputError, idSchema, maxReasonLength, parseInput } from '@agent-killswitch/core';
import { z } from 'zod';

/** @throws InvalidInputError if the path's id is not one. */
export function pathId(params: Readonly<Record<string, string | undefined>>, name: string): string {
  return parseInput('path', z.object({ [name]: idSchema }), params)[name] as string;
}

/** `:id` in a path. */
export const idParam = z.strictObject({ id: idSchema });

/** The core judges what a reason is; here it only has to be a string. */
const reason = z.string(`is required: say why, in at most ${maxReasonLength} characters`);

export const reasonBody = z.strictObject({ reason });

export const holdBody = z.strictObject({ reason, hold: z.boolean().default(false) });

export const killAllBody = z.strictObject({ reason, workspaceId: idSchema.optional() });

export const maybeReason = z.strictObject({ reason: z.string().optional() });

/** The reason from a body or, for clients that cannot send one with DELETE, the query; not two different ones. */
export function oneReason({ body, query }: { readonly body: unknown; readonly query: unknown }): string {
  const given = [body ?? {}, query].flatMap((part) => parseInput('request', maybeReason, part).reason ?? []);
  if (new Set(given).size > 1)
    throw new InvalidInputError('request', ['reason: the body and the query give different ones']);
  return parseInput('body', reasonBody, { reason: given[0] }).reason;
}
