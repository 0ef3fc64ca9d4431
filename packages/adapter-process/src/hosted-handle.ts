import { type Handle, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import { hostLifeSchema } from './host-life.ts';
import { parsedHandle } from './parsed-handle.ts';

/** The route to an agent that lives in its host's memory. */
export const hostedHandleSchema = z.strictObject({
  /** The name under which the runtime is registered. */
  runtime: idSchema,
  /** Which one of those that were started in that life, from 1. */
  run: z.number().int().positive(),
  life: hostLifeSchema,
});
export type HostedHandle = z.infer<typeof hostedHandleSchema>;

/** @throws InvalidHandleError if it is malformed or of another runtime */
export function parseHostedHandle(given: Handle, runtime: string): HostedHandle {
  return parsedHandle(hostedHandleSchema, given, runtime);
}
