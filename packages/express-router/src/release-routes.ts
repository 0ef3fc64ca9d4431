import type { Scope } from '@agent-killswitch/core';
import { releaseAnswer } from './answers.ts';
import { gateBody } from './bodies.ts';
import type { HandlerContext, HttpRequest, HttpResponse } from './http.ts';
import { idParam, reasonBody } from './input.ts';
import { type Route, route } from './route.ts';

/** 200 when gates are open, 202 when it takes somebody else's approval too. */
const answers = { 200: releaseAnswer, 202: releaseAnswer };

/** Opening what a stop left shut; it starts nothing (I9). */
export const releaseRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/emergency-stop/release',
    permission: 'release',
    summary: 'Opens the latch of the emergency stop; starts nothing',
    body: reasonBody,
    answers,
    handle: (context, { reason }, request) => release(context, { everything: true }, reason, request),
  }),
  route({
    method: 'POST',
    path: '/workspaces/:id/release',
    permission: 'release',
    summary: 'Opens what a kill-all with hold left shut; starts nothing',
    params: idParam,
    body: reasonBody,
    answers,
    handle: (context, { id, reason }, request) => release(context, { workspace: id }, reason, request),
  }),
  route({
    method: 'POST',
    path: '/backends/:id/reinstate',
    permission: 'release',
    summary: 'Opens a revoked backend again; starts nothing',
    params: idParam,
    body: reasonBody,
    answers,
    handle: (context, { id, reason }, request) => release(context, { backend: id }, reason, request),
  }),
];

async function release(
  { ks }: HandlerContext,
  target: Scope,
  reason: string,
  { principal }: HttpRequest,
): Promise<HttpResponse> {
  const report = await ks.release(target, { principal, reason });
  const { releaseId, scope, released, gates, approvals, needed } = report;
  const message = !released
    ? `Still stopped: ${approvals.length} of ${needed} people have approved`
    : gates.length === 0
      ? 'Nothing was stopped'
      : 'Released: agents may start again; none was restarted';
  const approvedBy = approvals.map((approval) => approval.principal);
  return {
    status: released ? 200 : 202,
    body: { message, releaseId, scope, released, approvedBy, needed, gates: gates.map(gateBody) },
  };
}
