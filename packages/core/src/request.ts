import { z } from 'zod';
import { reasonSchema } from './identifiers.ts';
import { type Principal, principalSchema } from './principal.ts';

/** Who asks, and why. */
export interface Request {
  /** From the caller's authentication. */
  readonly principal: Principal;
  /** Mandatory, not blank, at most 2,000 characters. */
  readonly reason: string;
}

export interface StopRequest extends Request {
  /**
   * How long to wait for the order to settle, in milliseconds from the call; at most, and by default, until its deadline. A store
   * that does not answer may delay the report by one `deadlines.state` more.
   */
  readonly waitMs?: number | undefined;
}

export interface KillRequest extends StopRequest {
  /** Keeps the gate on a workspace, a backend or everything shut after the kill, until a release. Default `false`. */
  readonly hold?: boolean | undefined;
}

export interface GracefulRequest extends KillRequest {
  /** How long agents are asked before they are killed, in milliseconds. Default 10,000. */
  readonly graceMs?: number | undefined;
}

export const requestSchema = z.strictObject({ principal: principalSchema, reason: reasonSchema });
export const killRequestSchema = requestSchema.extend({
  waitMs: z.number().int().nonnegative().optional(),
  hold: z.boolean().default(false),
});

export const gracefulRequestSchema = killRequestSchema.extend({
  graceMs: z.number().int().min(1).max(3_600_000).default(10_000),
});
