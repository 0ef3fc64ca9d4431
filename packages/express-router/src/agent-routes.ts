import { InvalidInputError, idSchema, type Principal, type Scope } from '@agent-killswitch/core';
import { z } from 'zod';
import { agentParam, killAllBody, reasonBody } from './input.ts';
import { type Route, route } from './route.ts';
import { kill, preview, stopAnswers } from './stop-routes.ts';

const workspaceQuery = z.strictObject({ workspaceId: idSchema.optional() });

/** An orchestrator's own kill endpoints (REQUIREMENTS B5). */
export const agentRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/agents/kill-all',
    permission: 'kill',
    summary: 'Kills all agents that the caller has authority over, or those of one workspace',
    body: killAllBody,
    answers: stopAnswers,
    preview: (context, { workspaceId }, request) =>
      preview(context, allOf(request.principal, workspaceId), request),
    query: workspaceQuery,
    handle: (context, { reason, workspaceId }, request) =>
      kill(context, allOf(request.principal, workspaceId), { reason }, request),
  }),
  route({
    method: 'POST',
    path: '/agents/:agentId/kill',
    permission: 'kill',
    summary: 'Kills one agent and its descendants',
    params: agentParam,
    body: reasonBody,
    answers: stopAnswers,
    preview: (context, { agentId }, request) => preview(context, { agent: agentId }, request),
    handle: (context, { agentId, reason }, request) => kill(context, { agent: agentId }, { reason }, request),
  }),
];

/**
 * The widest scope the principal has authority over: the named workspace, everything, or the one they administer.
 * @throws InvalidInputError if they administer several and name none.
 */
export function allOf(principal: Principal, workspaceId: string | undefined): Scope {
  if (workspaceId !== undefined) return { workspace: workspaceId };
  const administered = principal.grants.flatMap((grant) =>
    grant.role === 'workspace-admin' ? [grant.workspaceId] : [],
  );
  const isSuperAdmin = principal.grants.some((grant) => grant.role === 'super-admin');
  const [only, ...others] = administered;
  if (isSuperAdmin || only === undefined) return { everything: true };
  if (others.length > 0)
    throw new InvalidInputError('request', ['workspaceId: you administer several workspaces; name one']);
  return { workspace: only };
}
