import { InvalidInputError, type Principal, parseInput, type Scope } from '@agent-killswitch/core';
import type { Route } from './http.ts';
import { killAllBody, pathId, reasonBody } from './input.ts';
import { stopResponse } from './stop-response.ts';

/** An orchestrator's own kill endpoints (REQUIREMENTS B5). */
export const agentRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/agents/kill-all',
    permission: 'kill',
    async handle({ ks, waitMs }, { body, principal }) {
      const { reason, workspaceId } = parseInput('body', killAllBody, body ?? {});
      return stopResponse(await ks.kill(allOf(principal, workspaceId), { principal, reason, waitMs }));
    },
  },
  {
    method: 'POST',
    path: '/agents/:agentId/kill',
    permission: 'kill',
    async handle({ ks, waitMs }, { params, body, principal }) {
      const { reason } = parseInput('body', reasonBody, body ?? {});
      return stopResponse(await ks.kill({ agent: pathId(params, 'agentId') }, { principal, reason, waitMs }));
    },
  },
];

/** The widest scope the principal has authority over: the named workspace, everything, or the one they administer. */
function allOf(principal: Principal, workspaceId: string | undefined): Scope {
  if (workspaceId !== undefined) return { workspace: workspaceId };
  const administered = principal.grants.flatMap((grant) =>
    grant.role === 'workspace-admin' ? [grant.workspaceId] : [],
  );
  const isSuperAdmin = principal.grants.some((grant) => grant.role === 'super-admin');
  const [only, ...others] = administered;
  if (isSuperAdmin || only === undefined) return { everything: true };
  if (others.length > 0)
    throw new InvalidInputError('body', ['workspaceId: you administer several workspaces; name one']);
  return { workspace: only };
}
