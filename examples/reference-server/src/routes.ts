import {
  type Agent,
  InvalidInputError,
  idSchema,
  iso,
  type Killswitch,
  type Principal,
} from '@agent-killswitch/core';
import { type Route, route } from '@agent-killswitch/express-router';
import { z } from 'zod';
import { behaviours } from './behaviours.ts';
import { runtimeNames } from './launchers.ts';
import type { Supervisor } from './supervisor.ts';

export interface OrchestratorContext {
  readonly ks: Killswitch;
  readonly supervisor: Supervisor;
}

const spawnBody = z.strictObject({
  taskId: idSchema,
  agentType: z.enum(['worker', 'reviewer', 'tester']),
  workspaceId: idSchema.optional(),
  backendId: idSchema.default('local'),
  /** Default: `docker` where sandboxes are enabled, else `process`. */
  runtime: z.enum(runtimeNames).optional(),
  behaviour: z.enum(behaviours).default('cooperative'),
  context: z.record(z.string(), z.unknown()).optional(),
});

const spawnAnswer = z.object({ agentId: idSchema, status: z.string() });

const time = z.iso.datetime();
const agentStatus = z.object({
  ...{ agentId: idSchema, taskId: idSchema, sessionIds: z.array(idSchema) },
  ...{ workspaceId: idSchema, ownerId: idSchema, backendId: idSchema, agentType: idSchema.optional() },
  status: z.enum(['spawning', 'running', 'killing', 'killed', 'completed', 'failed']),
  ...{ spawnedAt: time, startedAt: time.optional(), completedAt: time.optional() },
  error: z.string().optional(),
  handle: z.object({ runtime: z.string(), pid: z.int().optional() }).optional(),
});

/** The orchestrator's own endpoints (REQUIREMENTS C3). */
export const orchestratorRoutes: ReadonlyArray<Route<OrchestratorContext>> = [
  route({
    method: 'POST',
    path: '/agents/spawn',
    permission: 'admit',
    summary: 'Starts an agent, unless a gate bars it',
    body: spawnBody,
    answers: { 201: spawnAnswer },
    async handle({ ks, supervisor }: OrchestratorContext, wanted, { principal }) {
      const workspaceId = wanted.workspaceId ?? onlyWorkspaceOf(principal);
      await ks.authorise({ principal, action: 'admit', scope: { workspace: workspaceId }, workspaceId });
      const { agentId, status } = await supervisor.spawn({
        ...wanted,
        runtime: wanted.runtime ?? supervisor.defaultRuntime,
        workspaceId,
        ownerId: principal.id,
      });
      return { status: 201, body: { agentId, status }, location: `/agents/${agentId}/status` };
    },
  }),
  route({
    method: 'GET',
    path: '/agents/:agentId/status',
    permission: 'read',
    summary: 'How an agent fares',
    params: z.strictObject({ agentId: idSchema }),
    answers: { 200: agentStatus },
    async handle({ ks }: OrchestratorContext, { agentId }, { principal }) {
      const agent = await ks.agent(agentId);
      const { workspaceId, ownerId } = agent;
      await ks.authorise({ principal, action: 'read', scope: { agent: agentId }, workspaceId, ownerId });
      return { status: 200, body: statusBody(agent) };
    },
  }),
];

function onlyWorkspaceOf({ grants }: Principal): string {
  const workspaces = new Set(grants.flatMap((grant) => ('workspaceId' in grant ? [grant.workspaceId] : [])));
  const [only = 'demo', ...others] = workspaces;
  if (others.length > 0)
    throw new InvalidInputError('body', ['workspaceId: you belong to several workspaces; name one']);
  return only;
}

function statusBody(agent: Agent) {
  const {
    agentId,
    taskId,
    sessionIds,
    workspaceId,
    ownerId,
    backendId,
    agentType,
    status,
    spawnedAt,
    startedAt,
  } = agent;
  const [handle] = agent.handles;
  return {
    agentId,
    taskId,
    sessionIds,
    workspaceId,
    ownerId,
    backendId,
    agentType,
    status,
    spawnedAt: iso(spawnedAt),
    ...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
    ...('completedAt' in agent ? { completedAt: iso(agent.completedAt) } : {}),
    ...('error' in agent ? { error: agent.error } : {}),
    ...(handle === undefined ? {} : { handle: { runtime: handle.runtime, pid: handle.pid } }),
  };
}
