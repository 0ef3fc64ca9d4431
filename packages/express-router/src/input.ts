import { InvalidInputError, idSchema, maxReasonLength, parseInput } from '@agent-killswitch/core';
import { z } from 'zod';

/** @throws InvalidInputError if the path's id is not one. */
export function pathId(params: Readonly<Record<string, string | undefined>>, name: string): string {
  return parseInput('path', z.object({ [name]: idSchema }), params)[name] as string;
}

/** The core judges what a reason is; here it only has to be a string. */
const reason = z.string(`is required: say why, in at most ${maxReasonLength} characters`);

export const reasonBody = z.strictObject({ reason });

export const holdBody = z.strictObject({ reason, hold: z.boolean().default(false) });

export const killAllBody = z.strictObject({ reason, workspaceId: idSchema.optional() });

/** A body or, for clients that cannot send one with DELETE, a query parameter; not two different reasons. */
export function bodyOrQuery(body: unknown, query: Readonly<Record<string, unknown>>): unknown {
  if (query.reason === undefined) return body ?? {};
  if (body === undefined) return { reason: query.reason };
  const given = parseInput('body', reasonBody, body);
  if (given.reason !== query.reason)
    throw new InvalidInputError('request', ['reason: the body and the query give different ones']);
  return given;
}
