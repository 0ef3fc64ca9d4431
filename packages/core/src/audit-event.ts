import { z } from 'zod';
import { idSchema, recordedReasonSchema } from './identifiers.ts';
import { operationSchema, stopOrderSchema } from './order.ts';
import { actorSchema } from './principal.ts';
import { scopeSchema } from './scope.ts';

/** RFC 3339 in UTC with milliseconds. */
const time = z.iso.datetime({ precision: 3 });

const base = {
  /** Unique, sorting by the time of the order, the request or the agent it is about. A repeat of the same fact has the same id. */
  id: z.string().min(1).max(400),
  version: z.literal(1),
  /** When it happened. */
  time,
  /** Which host says so. */
  hostId: idSchema,
  /** The workspace it is about; absent where it is about none or about several. */
  workspaceId: idSchema.optional(),
};

/** Who asked for what, why, and under which policy. */
const request = {
  operation: operationSchema,
  scope: scopeSchema,
  principal: actorSchema,
  reason: recordedReasonSchema,
  policyVersion: z.string(),
};

/** One agent under one order, whole: who, what, why, when, and its state at termination (REQUIREMENTS A6, B7). */
const kill = {
  ...request,
  orderId: idSchema,
  agentId: idSchema,
  taskId: idSchema,
  sessionIds: z.array(idSchema),
  ownerId: idSchema,
  backendId: idSchema,
  /** Whether the order was aimed at more than this agent (REQUIREMENTS B7 "bulk context"). */
  bulk: z.boolean(),
  statusBefore: z.enum(['spawning', 'running']),
  forced: z.boolean(),
  evidence: z.string(),
  errors: z.array(z.string()),
  requestedAt: time,
  signalledAt: time.optional(),
  forcedAt: time.optional(),
};

/** Everything that the audit record can hold (I4). */
export const auditEventSchema = z.discriminatedUnion('type', [
  /** A stop was asked for by someone entitled; written before anything irreversible. */
  z.strictObject({
    ...base,
    ...request,
    type: z.literal('order.requested'),
    orderId: idSchema,
    ownerId: idSchema.optional(),
    opens: stopOrderSchema.shape.opens,
    killAt: time,
    forceAt: time,
    deadlineAt: time,
  }),
  /** The same stop was already under way: the request `orderId` joined it (I7). */
  z.strictObject({
    ...base,
    ...request,
    type: z.literal('order.joined'),
    orderId: idSchema,
    joinedOrderId: idSchema,
  }),
  /** Death was observed. */
  z.strictObject({ ...base, ...kill, type: z.literal('agent.killed'), confirmedAt: time }),
  /** The deadline passed and death was not observed; the kill goes on. */
  z.strictObject({ ...base, ...kill, type: z.literal('agent.unconfirmed'), unconfirmedAt: time }),
  /** A cleanup step is done, or has failed and will be tried again. */
  z.strictObject({
    ...base,
    type: z.literal('cleanup.finished'),
    orderId: idSchema.optional(),
    agentId: idSchema,
    taskId: idSchema,
    step: idSchema,
    status: z.enum(['done', 'failed']),
    tries: z.number().int().positive(),
    error: z.string().optional(),
  }),
  /** Nothing in the order's scope was alive any more. */
  z.strictObject({
    ...base,
    ...request,
    type: z.literal('order.settled'),
    orderId: idSchema,
    total: z.number().int().nonnegative(),
    killed: z.number().int().nonnegative(),
  }),
  /** Somebody asked for what they may not do. Nothing was changed. */
  z.strictObject({
    ...base,
    type: z.literal('request.denied'),
    action: z.enum(['kill', 'release', 'read', 'admit']),
    scope: scopeSchema,
    principal: actorSchema,
    /** The reason the principal gave, if the request has one. */
    reason: recordedReasonSchema.optional(),
    denial: z.string(),
    policyVersion: z.string(),
  }),
  /** A release was asked for by someone entitled; written before any gate opens. */
  z.strictObject({
    ...base,
    type: z.literal('release.requested'),
    releaseId: idSchema,
    scope: scopeSchema,
    principal: actorSchema,
    reason: recordedReasonSchema,
    policyVersion: z.string(),
    /** The orders whose gates it is about. */
    orderIds: z.array(idSchema),
  }),
  /** The gates of these orders are open. Nothing was restarted (I9). */
  z.strictObject({
    ...base,
    type: z.literal('gate.released'),
    releaseId: idSchema,
    scope: scopeSchema,
    principal: actorSchema,
    reason: recordedReasonSchema,
    orderIds: z.array(idSchema),
    /** Everybody whose approval it took, the principal included. */
    approvedBy: z.array(actorSchema),
  }),
  /** The sink will never take an event; this stands in its place, and the event itself on the last resort. */
  z.strictObject({
    ...base,
    type: z.literal('audit.event-refused'),
    /** The order that the event is about. */
    orderId: idSchema.optional(),
    refusedId: z.string().min(1).max(400),
    refusedType: z.string().min(1).max(400),
    /** Of the event's canonical form, lower-case hex. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** Why, as the sink has it. */
    error: z.string().max(500),
  }),
]);
export type AuditEvent = z.infer<typeof auditEventSchema>;
export type AuditEventType = AuditEvent['type'];

/** Milliseconds since the Unix epoch as the record writes it. */
export function iso(at: number): string {
  // Facts of one moment come together, and writing a date costs as much as the rest of an event.
  const known = written.get(at);
  if (known !== undefined) return known;
  if (written.size >= 64) written.clear();
  const text = new Date(at).toISOString();
  written.set(at, text);
  return text;
}

const written = new Map<number, string>();
