import { z } from 'zod';
import { reasonSchema } from './identifiers.ts';
import type { StopOrder } from './order.ts';

export interface ShutdownRequest {
  /** Mandatory, not blank, at most 2,000 characters: for example the signal that came. */
  readonly reason: string;
  /** How long agents are asked to end before they are killed, in milliseconds. Default 5,000 (REQUIREMENTS D3); 0: not at all. */
  readonly graceMs?: number | undefined;
  /** How long to wait for the stop to settle, in milliseconds; at most, and by default, until its deadline. */
  readonly waitMs?: number | undefined;
}

export const shutdownRequestSchema = z.strictObject({
  reason: reasonSchema,
  graceMs: z.number().int().min(0).max(3_600_000).default(5_000),
  waitMs: z.number().int().nonnegative().optional(),
});

/** Who stops the agents of a host that shuts down, on the record; no authorizer decides it. */
export const shutdownAuthority: Pick<StopOrder, 'principal' | 'policyVersion'> = {
  principal: { id: 'system:shutdown', kind: 'service' },
  policyVersion: 'shutdown/1',
};
