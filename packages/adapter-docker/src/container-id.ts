import { z } from 'zod';

/** The whole id. A name or a shortened id would be looked up by the engine, and could hit another container. */
export const containerIdSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a full container id: 64 of 0-9 a-f');

/** As people write it. */
export function shortId(containerId: string): string {
  return containerId.slice(0, 12);
}
