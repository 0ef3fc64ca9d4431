import { idSchema, scopeSchema } from '@agent-killswitch/core';
import { z } from 'zod';

/** A point in time by RFC 3339, in UTC. */
const time = z.iso.datetime();
const actor = z.object({ id: idSchema, kind: z.enum(['user', 'service', 'agent']) });
const count = z.int().nonnegative();
const scope = scopeSchema.meta({ id: 'Scope' });
const liveStatus = z.enum(['spawning', 'running', 'killing']);

/** What became of one agent under an order. */
const outcome = z.object({
  agentId: idSchema,
  taskId: idSchema,
  sessionIds: z.array(idSchema),
  workspaceId: idSchema,
  statusBefore: z.enum(['spawning', 'running']),
  /** `pending`: the deadline has not passed yet. */
  outcome: z.enum(['confirmed', 'unconfirmed', 'pending']),
  forced: z.boolean(),
  requestedAt: time,
  signalledAt: time.optional(),
  forcedAt: time.optional(),
  unconfirmedAt: time.optional(),
  confirmedAt: time.optional(),
  evidence: z.string().optional(),
});

/** Every answer about a stop order. */
export const stopAnswer = z
  .object({
    message: z.string(),
    orderId: idSchema,
    stored: z.boolean().describe('false: the stop is in force, but would be lost if the service ended now'),
    settled: z.boolean().describe('every agent in scope was observed dead, and cleanup was tried'),
    scope,
    reason: z.string(),
    principal: actor.optional().describe('who asked; in `GET /orders/:id`'),
    requestedAt: time,
    deadlineAt: time,
    total: count,
    killed: count.describe('observed dead'),
    failed: count.describe('not confirmed dead at the deadline; the kill goes on'),
    outcomes: z.array(outcome),
    errors: z.array(z.string()),
  })
  .meta({ id: 'Stop' });
export type StopResponse = z.infer<typeof stopAnswer>;

export const agentAnswer = z
  .object({
    agentId: idSchema,
    taskId: idSchema,
    sessionIds: z.array(idSchema),
    workspaceId: idSchema,
    ownerId: idSchema,
    backendId: idSchema,
    parentId: idSchema.optional(),
    hostId: idSchema,
    agentType: idSchema.optional(),
    status: liveStatus,
    spawnedAt: time,
    startedAt: time.optional(),
    /** The orders that kill it, the one that claimed it first. */
    orderIds: z.array(idSchema).optional(),
  })
  .meta({ id: 'Agent' });

/** An agent and what the caller may do to it. */
const listedAgent = agentAnswer
  .extend({ mayKill: z.boolean().describe('whether the caller may kill its task') })
  .meta({ id: 'ListedAgent' });

export const agentsAnswer = z
  .object({
    agents: z.array(listedAgent),
    cursor: z.string().optional().describe('give it back for the next page; absent on the last'),
  })
  .meta({ id: 'Agents' });

export const previewAnswer = z
  .object({
    scope,
    total: count,
    byStatus: z.object({ spawning: count, running: count, killing: count }),
    tasks: count,
    workspaces: count,
    agents: z.array(agentAnswer).describe('the first 1,000 of them'),
  })
  .meta({ id: 'Preview' });

/** What became of cleanup steps that had failed. */
export const cleanupAnswer = z
  .object({
    message: z.string(),
    total: count.describe('agents that had a failed step'),
    cleaned: count.describe('those of them that have none any more'),
    elsewhere: count.describe('those of other hosts, which try themselves'),
    errors: z.array(z.string()).describe('what failed again, one line each, at most 100'),
  })
  .meta({ id: 'Cleanup' });

/** It goes on. */
export const cleaningAnswer = z.object({ message: z.string() }).meta({ id: 'Cleaning' });

const gate = z.object({
  orderId: idSchema,
  scope,
  opens: z.enum(['at-settle', 'on-release', 'never']),
  reason: z.string(),
  principal: actor,
  shutAt: time,
});

export const releaseAnswer = z
  .object({
    message: z.string(),
    releaseId: idSchema,
    scope,
    released: z.boolean(),
    approvedBy: z.array(actor),
    needed: count.describe('how many people have to ask for it'),
    gates: z.array(gate),
  })
  .meta({ id: 'Release' });

export const statusAnswer = z
  .object({
    hostId: idSchema,
    auditDegraded: z.boolean(),
    gates: z.array(gate),
    gatesLeftOff: z
      .boolean()
      .describe('more gates stand than are shown: those that never open are left off first'),
    openOrders: z.array(
      z.object({
        orderId: idSchema,
        scope,
        reason: z.string(),
        principal: actor,
        requestedAt: time,
        forceAt: time,
        deadlineAt: time,
      }),
    ),
  })
  .meta({ id: 'Status' });

/** An RFC 9457 problem. `code` is the library's own, `type` the same as a URI. */
export const problemAnswer = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string().optional(),
    issues: z.array(z.string()).optional().describe('one line per fault, each naming the field'),
    gate: z
      .object({ scope, reason: z.string(), orderId: idSchema, shutAt: time })
      .optional()
      .describe('the gate that bars the agent'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemAnswer>;

export const meAnswer = z
  .object({
    principal: actor,
    may: z.object({
      emergencyStop: z.boolean(),
      release: z.boolean().describe('everything, and backends'),
      workspaces: z.array(z.object({ workspaceId: idSchema, killAll: z.boolean(), release: z.boolean() })),
    }),
  })
  .meta({ id: 'Me' });
