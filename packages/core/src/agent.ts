import { z } from 'zod';
import { idSchema, timeSchema } from './identifiers.ts';
import { type ListKey, scopeKeysOf } from './scope.ts';

/** How many cleanup steps a killswitch may have: each has an entry in every agent's ledger. */
export const maxCleanupSteps = 128;

/** How many handles an agent can have: a record with more is one that stores do not read. */
export const maxHandles = 16;

/**
 * A route by which a runtime reaches an agent, for example `{ runtime: 'process', pid: 71, startTime: 9941 }`. All routes of
 * an agent lead to one and the same thing: one that is seen dead, while none is seen alive, is the agent's death. What stands
 * beside `runtime` belongs to that runtime's adapter, which validates it; only what JSON can hold.
 */
export const handleSchema = z.object({ runtime: idSchema }).catchall(z.json());
export type Handle = z.infer<typeof handleSchema>;

/** Something that outlives the agent and has to be removed after its death, for example `{ kind: 'worktree', path }`. */
export const resourceSchema = z.object({ kind: idSchema }).catchall(z.json());
export type Resource = z.infer<typeof resourceSchema>;

/** One cleanup step in an agent's ledger. `error` is the last failure's message, secrets removed. */
export const ledgerEntrySchema = z.strictObject({
  step: idSchema,
  status: z.enum(['pending', 'done', 'failed']),
  tries: z.number().int().nonnegative(),
  error: z.string().optional(),
  /** When a failed step is tried again, in milliseconds since the Unix epoch; absent if it is not, by itself. */
  retryAt: timeSchema.optional(),
});
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

/**
 * The kill record: what one kill did to one agent. An agent is claimed once, so it has at most one; a later order
 * joins it (I7) and is added to `orderIds`, of which the first is the order that claimed the agent.
 */
export const killRecordSchema = z.strictObject({
  orderIds: z.array(idSchema).min(1),
  statusBefore: z.enum(['spawning', 'running']),
  requestedAt: timeSchema,
  signalledAt: timeSchema.optional(),
  forcedAt: timeSchema.optional(),
  /** When death was observed. Present exactly if the agent is `killed` (I3). */
  confirmedAt: timeSchema.optional(),
  /** When an order's deadline passed without observed death. Stays on record when death is observed later. */
  unconfirmedAt: timeSchema.optional(),
  /** What was seen, in words: why this is known to be dead, or why it is not. */
  evidence: z.string().optional(),
  errors: z.array(z.string()).max(20),
});
export type KillRecord = z.infer<typeof killRecordSchema>;

const identity = {
  agentId: idSchema,
  taskId: idSchema,
  sessionIds: z.array(idSchema).max(100),
  workspaceId: idSchema,
  ownerId: idSchema,
  backendId: idSchema,
  parentId: idSchema.optional(),
  /** Ids of its ancestors, nearest first; empty without a parent. */
  lineage: z.array(idSchema).max(64),
  hostId: idSchema,
  agentType: idSchema.optional(),
};

const tracked = {
  ...identity,
  /** Rises by one with every stored change; a change is stored only over the revision it was made from. */
  revision: z.number().int().nonnegative(),
  /** Preferred route first. Empty until the runtime has started the agent. */
  handles: z.array(handleSchema).max(maxHandles),
  resources: z.array(resourceSchema).max(64),
  ledger: z.array(ledgerEntrySchema).max(maxCleanupSteps),
  spawnedAt: timeSchema,
  startedAt: timeSchema.optional(),
};

/** An agent as stored: one run of work that can be stopped. Each status carries only its own data. */
export const agentSchema = z.discriminatedUnion('status', [
  z.strictObject({ ...tracked, status: z.literal('spawning') }),
  z.strictObject({ ...tracked, status: z.literal('running') }),
  z.strictObject({ ...tracked, status: z.literal('killing'), kill: killRecordSchema }),
  z.strictObject({
    ...tracked,
    status: z.literal('killed'),
    kill: killRecordSchema,
    completedAt: timeSchema,
  }),
  z.strictObject({ ...tracked, status: z.literal('completed'), completedAt: timeSchema }),
  z.strictObject({ ...tracked, status: z.literal('failed'), completedAt: timeSchema, error: z.string() }),
]);
export type Agent = z.infer<typeof agentSchema>;
export type AgentStatus = Agent['status'];
export type KillingAgent = Extract<Agent, { status: 'killing' }>;
export type KilledAgent = Extract<Agent, { status: 'killed' }>;

/** What the embedding service says of an agent when it asks for admission. */
export const newAgentSchema = z
  .strictObject({
    ...identity,
    sessionIds: identity.sessionIds.default([]),
    backendId: idSchema.default('local'),
    resources: tracked.resources.default([]),
  })
  .omit({ lineage: true, hostId: true });
export type NewAgent = z.input<typeof newAgentSchema>;

/** A task: bound to one workspace and one owner by the first agent admitted for it. */
export const taskSchema = z.strictObject({ taskId: idSchema, workspaceId: idSchema, ownerId: idSchema });
export type Task = z.infer<typeof taskSchema>;

/** Whether the agent may still do anything: it has no observed or reported end. */
export function isLive(agent: Agent): boolean {
  return agent.status === 'spawning' || agent.status === 'running' || agent.status === 'killing';
}

/**
 * The keys under which a store lists this agent: while it lives, its scopes; after that, as long as its
 * ledger has pending steps, its host's cleanup; then none.
 */
export function listKeysOf(agent: Agent): ListKey[] {
  if (isLive(agent)) return scopeKeysOf(agent);
  const isUnclean = agent.ledger.some(({ status, retryAt }) => status === 'pending' || retryAt !== undefined);
  return isUnclean ? [`cleanup:${agent.hostId}`] : [];
}

/** Whether a kill can still claim it (REQUIREMENTS B1, B2). */
export function isKillable(agent: Agent): boolean {
  return agent.status === 'spawning' || agent.status === 'running';
}
