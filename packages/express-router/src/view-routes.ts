import {
  type Agent,
  belongsTo,
  type Gate,
  InvalidInputError,
  idSchema,
  type Principal,
  type Scope,
  type StopOrder,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { agentsAnswer, statusAnswer, stopAnswer } from './answers.ts';
import { agentBody, gateBody, orderBody, stopBody } from './bodies.ts';
import type { HandlerContext } from './http.ts';
import { idParam } from './input.ts';
import { orderEvents } from './order-events.ts';
import { readableOrder } from './readable-order.ts';
import { type Route, route } from './route.ts';

const agentsQuery = z.strictObject({
  workspaceId: idSchema.optional(),
  taskId: idSchema.optional(),
  backendId: idSchema.optional(),
  status: z.enum(['spawning', 'running', 'killing']).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(4_096).optional(),
});
type AgentsQuery = z.infer<typeof agentsQuery>;

/** What can be seen without changing anything. */
export const viewRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/orders/:id',
    permission: 'read',
    summary: 'What a stop order did so far',
    params: idParam,
    answers: { 200: stopAnswer },
    async handle({ ks }, { id }, { principal }) {
      await readableOrder(ks, id, principal);
      return { status: 200, body: stopBody(await ks.report(id)) };
    },
  }),
  route({
    method: 'GET',
    path: '/orders/:id/events',
    permission: 'read',
    summary: 'The steps of a stop order as they are taken; Last-Event-ID replays from there',
    params: idParam,
    answers: { 200: 'events' },
    async handle({ ks }, { id }, { principal, headers }) {
      await readableOrder(ks, id, principal);
      const events = (signal: AbortSignal) => orderEvents(ks, id, headers.lastEventId, signal);
      return { status: 200, events };
    },
  }),
  route({
    method: 'GET',
    path: '/agents',
    permission: 'own',
    summary:
      'The live agents that the caller may read, page by page; a page may be short, only the last has no cursor',
    query: agentsQuery,
    answers: { 200: agentsAnswer },
    async handle({ ks }, query, { principal }) {
      const { limit, cursor } = query;
      const page = await ks.list(scopeOf(query, principal), {
        limit,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const agents = await shown(
        { ks },
        page.items.filter((agent) => isAsked(agent, query)),
        principal,
      );
      return {
        status: 200,
        body: {
          agents: agents.map(agentBody),
          ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
        },
      };
    },
  }),
  route({
    method: 'GET',
    path: '/status',
    permission: 'own',
    summary: 'Shut gates and open orders that concern the caller',
    answers: { 200: statusAnswer },
    async handle({ ks }, _input, { principal }) {
      const { gates, openOrders, auditDegraded } = await ks.status();
      const body = {
        hostId: ks.hostId,
        auditDegraded,
        gates: gates.filter((gate) => concerns(gate, principal)).map(gateBody),
        openOrders: openOrders.filter((order) => concerns(order, principal)).map(orderBody),
      };
      return { status: 200, body };
    },
  }),
];

/** A stop of everything or of a backend concerns everybody; any other those of its workspace. */
function concerns({ workspaceId }: Gate | StopOrder, principal: Principal): boolean {
  return workspaceId === undefined || belongsTo(principal, workspaceId);
}

/** The narrowest scope that holds what is asked for: nobody pages through everything to find a task. */
function scopeOf({ taskId, backendId, workspaceId }: AgentsQuery, { grants }: Principal): Scope {
  if (taskId !== undefined) return { task: taskId };
  if (workspaceId !== undefined) return { workspace: workspaceId };
  if (backendId !== undefined) return { backend: backendId };
  if (grants.some((grant) => grant.role === 'super-admin')) return { everything: true };
  const [only, ...others] = new Set(
    grants.flatMap((grant) => ('workspaceId' in grant ? grant.workspaceId : [])),
  );
  if (only === undefined || others.length > 0)
    throw new InvalidInputError('query', ['workspaceId: you belong to several workspaces or none; name one']);
  return { workspace: only };
}

function isAsked(agent: Agent, { taskId, backendId, workspaceId, status }: AgentsQuery): boolean {
  return (
    (taskId === undefined || agent.taskId === taskId) &&
    (backendId === undefined || agent.backendId === backendId) &&
    (workspaceId === undefined || agent.workspaceId === workspaceId) &&
    (status === undefined || agent.status === status)
  );
}

/** Those that the principal may read: an agent that one may not see is as good as not there (I11). */
async function shown(
  { ks }: Pick<HandlerContext, 'ks'>,
  agents: readonly Agent[],
  principal: Principal,
): Promise<Agent[]> {
  const mays = await Promise.all(
    agents.map(({ agentId, workspaceId, ownerId }) =>
      ks.may({ principal, action: 'read', scope: { agent: agentId }, workspaceId, ownerId }),
    ),
  );
  return agents.filter((_, index) => mays[index]);
}
