import {
  type Agent,
  actorOf,
  belongsTo,
  type Gate,
  InvalidInputError,
  idSchema,
  type Killswitch,
  type Principal,
  type Scope,
  type StopOrder,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { agentsAnswer, meAnswer, statusAnswer, stopAnswer } from './answers.ts';
import { gateBody, orderBody, stopBody } from './bodies.ts';
import { idParam } from './input.ts';
import { orderEvents } from './order-events.ts';
import { readableAgents } from './readable-agents.ts';
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
      const order = await readableOrder(ks, id, principal);
      return { status: 200, body: { ...stopBody(await ks.report(id)), principal: order.principal } };
    },
  }),
  route({
    method: 'GET',
    path: '/orders/:id/events',
    permission: 'read',
    summary: 'The steps of a stop order as they are taken; Last-Event-ID replays from there',
    params: idParam,
    answers: { 200: 'events' },
    async handle({ ks, feeds }, { id }, { principal, headers }) {
      await readableOrder(ks, id, principal);
      const events = (signal: AbortSignal) => orderEvents(feeds, id, headers.lastEventId, signal);
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
    async handle(context, query, { principal }) {
      const { limit, cursor } = query;
      const isAsked = (agent: Agent) => matches(agent, query);
      const scope = scopeOf(query, principal);
      return {
        status: 200,
        body: await readableAgents(context, principal, { scope, limit, cursor, isAsked }),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/me',
    permission: 'own',
    summary: 'Who the caller is, and what they may do at large',
    answers: { 200: meAnswer },
    async handle({ ks }, _input, { principal }) {
      return { status: 200, body: { principal: actorOf(principal), may: await powersOf(ks, principal) } };
    },
  }),
  route({
    method: 'GET',
    path: '/status',
    permission: 'own',
    summary: 'Shut gates and open orders that concern the caller',
    answers: { 200: statusAnswer },
    async handle({ ks }, _input, { principal }) {
      const { gates, gateCount, openOrders, auditDegraded } = await ks.status();
      const body = {
        hostId: ks.hostId,
        auditDegraded,
        gates: gates.filter((gate) => concerns(gate, principal)).map(gateBody),
        gatesLeftOff: gateCount > gates.length,
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

function matches(agent: Agent, { taskId, backendId, workspaceId, status }: AgentsQuery): boolean {
  return (
    (taskId === undefined || agent.taskId === taskId) &&
    (backendId === undefined || agent.backendId === backendId) &&
    (workspaceId === undefined || agent.workspaceId === workspaceId) &&
    (status === undefined || agent.status === status)
  );
}

/** What the principal may do at large, so that a page shows no button that would be refused. */
async function powersOf(ks: Killswitch, principal: Principal) {
  const may = (action: 'kill' | 'release', scope: Scope, facts = {}) =>
    ks.may({ principal, action, scope, ...facts });
  const workspaceIds = new Set(
    principal.grants.flatMap((grant) => ('workspaceId' in grant ? grant.workspaceId : [])),
  );
  const workspaces = [...workspaceIds].map(async (workspaceId) => {
    const scope = { workspace: workspaceId };
    const killAll = await may('kill', scope, { workspaceId });
    return { workspaceId, killAll, release: await may('release', scope, { workspaceId }) };
  });
  return {
    emergencyStop: await may('kill', { everything: true }),
    release: await may('release', { everything: true }),
    workspaces: await Promise.all(workspaces),
  };
}
