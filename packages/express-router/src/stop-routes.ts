import type { KillRequest, OrderReport, Scope, StopRequest } from '@agent-killswitch/core';
import { previewAnswer, stopAnswer } from './answers.ts';
import type { HandlerContext, HttpRequest, HttpResponse } from './http.ts';
import { givenReason, holdBody, idParam, maybeReason, reasonBody } from './input.ts';
import { type Route, route } from './route.ts';
import { previewResponse, stopResponse } from './stop-response.ts';

/** What every stop is answered with; and its preview. */
export const stopAnswers = { 200: stopAnswer.or(previewAnswer), 202: stopAnswer };

/** The kill authority's endpoints (REQUIREMENTS A1 to A4). `?preview=true` says who would be hit, and does nothing. */
export const stopRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/tasks/:id/kill',
    permission: 'kill',
    summary: 'Kills the agents of a task; the task never starts again',
    params: idParam,
    body: reasonBody,
    answers: stopAnswers,
    preview: (context, { id }, request) => preview(context, { task: id }, request),
    handle: (context, { id, reason }, request) => kill(context, { task: id }, { reason }, request),
  }),
  route({
    method: 'POST',
    path: '/workspaces/:id/kill-all',
    permission: 'kill',
    summary: 'Kills every agent of a workspace; with hold, nothing is admitted there until a release',
    params: idParam,
    body: holdBody,
    answers: stopAnswers,
    preview: (context, { id }, request) => preview(context, { workspace: id }, request),
    handle: (context, { id, reason, hold }, request) =>
      kill(context, { workspace: id }, { reason, hold }, request),
  }),
  route({
    method: 'POST',
    path: '/emergency-stop',
    permission: 'kill',
    summary: 'Kills everything, everywhere, and latches: nothing is admitted until a release',
    body: reasonBody,
    answers: stopAnswers,
    preview: (context, _input, request) => preview(context, { everything: true }, request),
    handle: (context, { reason }, request) =>
      stop(context, ['emergency-stop'], { reason }, request, (asked) => context.ks.emergencyStop(asked)),
  }),
  route({
    method: 'DELETE',
    path: '/backends/:id',
    permission: 'kill',
    summary: 'Kills what runs on a backend; nothing is admitted there until it is reinstated',
    params: idParam,
    query: maybeReason,
    body: maybeReason,
    answers: stopAnswers,
    preview: (context, { id }, request) => preview(context, { backend: id }, request),
    handle: (context, { id, reason }, request) =>
      stop(context, ['revoke', id], { reason: givenReason(reason) }, request, (asked) =>
        context.ks.revokeBackend(id, asked),
      ),
  }),
];

/** Who a kill of this scope would hit, found the way the kill finds them. */
export async function preview(
  { ks }: HandlerContext,
  scope: Scope,
  { principal }: HttpRequest,
): Promise<HttpResponse> {
  return previewResponse(await ks.preview(scope, principal));
}

export function kill(
  context: HandlerContext,
  scope: Scope,
  wanted: Pick<KillRequest, 'reason' | 'hold'>,
  request: HttpRequest,
): Promise<HttpResponse> {
  return stop(context, ['kill', scope], wanted, request, (asked) => context.ks.kill(scope, asked));
}

/** `Prefer: respond-async` (RFC 7240): the caller looks at the order meanwhile. */
function isHasty(prefer: string | undefined): boolean {
  return prefer?.split(',').some((each) => each.trim().toLowerCase() === 'respond-async') ?? false;
}

/** A stop, or what became of the one that was asked for with the same words under the same `Idempotency-Key`. */
async function stop<Wanted extends { readonly reason: string }>(
  { ks, waitMs, repeats }: HandlerContext,
  what: readonly unknown[],
  wanted: Wanted,
  { principal, headers }: HttpRequest,
  place: (asked: Wanted & StopRequest) => Promise<OrderReport>,
): Promise<HttpResponse> {
  const begin = () => place({ ...wanted, principal, waitMs: isHasty(headers.prefer) ? 0 : waitMs });
  return stopResponse(await repeats.once(ks, headers.idempotencyKey, principal, [what, wanted], begin));
}
