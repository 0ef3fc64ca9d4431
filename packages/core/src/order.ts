import { z } from 'zod';
import type { Agent, KillRecord } from './agent.ts';
import { idSchema, recordedReasonSchema, timeSchema } from './identifiers.ts';
import { actorSchema } from './principal.ts';
import { type Scope, scopeKind, scopeSchema } from './scope.ts';

/** Most of those who brought an order's deadlines nearer that it keeps; the newest. */
export const mostHardeners = 16;

/** What an order and a request that joined it have alike: who asked, why, and for when. */
const asked = {
  principal: actorSchema,
  reason: recordedReasonSchema,
  policyVersion: z.string(),
  requestedAt: timeSchema,
  /** Until here agents are only asked to end: the grace of a stop. A kill has none: the same as `requestedAt`. */
  killAt: timeSchema,
  /** From here on the kill takes the next rung of the runtime's ladder. */
  forceAt: timeSchema,
  /** Whoever is not observed dead by now is reported `unconfirmed`. */
  deadlineAt: timeSchema,
};

/** A request that joined an order and brought a deadline of it nearer. */
const hardenerSchema = z.strictObject({ orderId: idSchema, hostId: idSchema, ...asked });
export type Hardener = z.infer<typeof hardenerSchema>;

/** The durable intent to stop a scope. Its deadlines are absolute, so that a restart never extends them. */
export const stopOrderSchema = z.strictObject({
  orderId: idSchema,
  revision: z.number().int().nonnegative(),
  /** The host that took the request, or has taken it over since that was silent; it settles the order, after a restart too. */
  hostId: idSchema,
  scope: scopeSchema,
  /** The workspace the scope lies in; absent for a backend and for everything. */
  workspaceId: idSchema.optional(),
  /** Who owns the scoped task or agent; absent for wider scopes. */
  ownerId: idSchema.optional(),
  /**
   * What lifts the order's gate: `at-settle` (a kill: when the order has settled), `on-release` (emergency stop,
   * revoked backend, held kill: a release by someone entitled), `never` (a killed task, or an agent that had ended by itself
   * when its descendants were killed).
   */
  opens: z.enum(['at-settle', 'on-release', 'never']),
  ...asked,
  /**
   * Who has brought its deadlines nearer (I7), stored with them: so the order's host can put them on record if theirs died
   * before it could (I4).
   */
  hardenedBy: z.array(hardenerSchema).max(mostHardeners).optional(),
  /** How many stops have joined it, if a release could open its gate: no approval given before the newest counts (I9). */
  joins: z.number().int().positive().optional(),
  /** The release that is about to open its gate, or has: from then on it claims nobody new, and nobody joins it (I9). */
  released: z
    .strictObject({
      releaseId: idSchema,
      at: timeSchema,
      approvedBy: z.array(actorSchema),
      /** Who asked for it, when and why: every host puts on its own record who opened a gate that it has seen. */
      request: z
        .strictObject({ at: timeSchema, principal: actorSchema, reason: recordedReasonSchema })
        .optional(),
    })
    .optional(),
  /** When every agent in scope had been observed dead, and cleanup was tried. Absent while the order is open. */
  settledAt: timeSchema.optional(),
});
export type StopOrder = z.infer<typeof stopOrderSchema>;

/** What became of one agent under one order. Times are milliseconds since the Unix epoch. */
export interface KillOutcome {
  readonly agentId: string;
  readonly taskId: string;
  readonly sessionIds: readonly string[];
  readonly workspaceId: string;
  readonly statusBefore: KillRecord['statusBefore'];
  /** `pending`: the deadline has not passed yet. */
  readonly outcome: 'confirmed' | 'unconfirmed' | 'pending';
  readonly forced: boolean;
  readonly requestedAt: number;
  readonly signalledAt?: number;
  readonly forcedAt?: number;
  readonly unconfirmedAt?: number;
  readonly confirmedAt?: number;
  readonly evidence?: string;
}

/** The answer to a stop. `total = killed + failed + pending`, over the agents that the order claimed or joined. */
export interface OrderReport {
  readonly orderId: string;
  readonly scope: Scope;
  readonly reason: string;
  /** `false`: the state store has not taken the order yet, and it would be lost with this process. */
  readonly stored: boolean;
  /**
   * `false` also while this host knows of somebody in scope who lives although their record is closed, named in `errors`; not
   * of who was admitted after the order had settled. What is stored of the order stays as it is.
   */
  readonly settled: boolean;
  readonly requestedAt: number;
  readonly deadlineAt: number;
  /** Present exactly if `settled`. */
  readonly settledAt?: number;
  readonly total: number;
  /** Observed dead. */
  readonly killed: number;
  /** Named as not confirmed dead at the deadline. */
  readonly failed: number;
  readonly outcomes: readonly KillOutcome[];
  /** What went wrong on the way, one line each, at most 100: unconfirmed agents and failed cleanup steps. */
  readonly errors: readonly string[];
}

/** `overdue`: the order's deadline has passed, so that what is not observed yet is `unconfirmed`. */
export function outcomeOf(agent: Agent & { kill: KillRecord }, overdue: boolean): KillOutcome {
  const { kill } = agent;
  return {
    agentId: agent.agentId,
    taskId: agent.taskId,
    sessionIds: [...agent.sessionIds],
    workspaceId: agent.workspaceId,
    statusBefore: kill.statusBefore,
    outcome:
      agent.status === 'killed'
        ? 'confirmed'
        : overdue || kill.unconfirmedAt !== undefined
          ? 'unconfirmed'
          : 'pending',
    forced: kill.forcedAt !== undefined,
    requestedAt: kill.requestedAt,
    ...(kill.signalledAt === undefined ? {} : { signalledAt: kill.signalledAt }),
    ...(kill.forcedAt === undefined ? {} : { forcedAt: kill.forcedAt }),
    ...(kill.unconfirmedAt === undefined ? {} : { unconfirmedAt: kill.unconfirmedAt }),
    ...(kill.confirmedAt === undefined ? {} : { confirmedAt: kill.confirmedAt }),
    ...(kill.evidence === undefined ? {} : { evidence: kill.evidence }),
  };
}

/** What was asked for, in one word: the audit record's `operation` (REQUIREMENTS B7). */
export const operationSchema = z.enum([
  'kill-agent',
  'kill-task',
  'kill-workspace',
  'kill-backend',
  'kill-host',
  'kill-everything',
  'stop-agent',
  'stop-task',
  'stop-workspace',
  'stop-backend',
  'stop-host',
  'stop-everything',
  'revoke-backend',
  'emergency-stop',
]);
export type Operation = z.infer<typeof operationSchema>;

export function operationOf({ scope, opens, requestedAt, killAt }: StopOrder): Operation {
  const kind = scopeKind(scope);
  if (killAt > requestedAt) return `stop-${kind}`;
  if (opens === 'on-release' && kind === 'everything') return 'emergency-stop';
  if (opens === 'on-release' && kind === 'backend') return 'revoke-backend';
  return `kill-${kind}`;
}
