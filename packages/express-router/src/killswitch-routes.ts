import {
  belongsTo,
  type Gate,
  isKillswitchError,
  iso,
  type Killswitch,
  type Principal,
  parseInput,
  type Scope,
  type StopOrder,
  UnknownTargetError,
} from '@agent-killswitch/core';
import type { HttpRequest, HttpResponse, Route } from './http.ts';
import { bodyOrQuery, holdBody, pathId, reasonBody } from './input.ts';
import { stopBody, stopResponse } from './stop-response.ts';

/** The kill authority's endpoints (REQUIREMENTS A1 to A4), release, orders and status. */
export const killswitchRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/tasks/:id/kill',
    permission: 'kill',
    async handle({ ks, waitMs }, { params, body, principal }) {
      const { reason } = parseInput('body', reasonBody, body ?? {});
      return stopResponse(await ks.kill({ task: pathId(params, 'id') }, { principal, reason, waitMs }));
    },
  },
  {
    method: 'POST',
    path: '/workspaces/:id/kill-all',
    permission: 'kill',
    async handle({ ks, waitMs }, { params, body, principal }) {
      const { reason, hold } = parseInput('body', holdBody, body ?? {});
      return stopResponse(
        await ks.kill({ workspace: pathId(params, 'id') }, { principal, reason, hold, waitMs }),
      );
    },
  },
  {
    method: 'POST',
    path: '/emergency-stop',
    permission: 'kill',
    async handle({ ks, waitMs }, { body, principal }) {
      const { reason } = parseInput('body', reasonBody, body ?? {});
      return stopResponse(await ks.emergencyStop({ principal, reason, waitMs }));
    },
  },
  {
    method: 'POST',
    path: '/emergency-stop/release',
    permission: 'release',
    handle: ({ ks }, { body, principal }) => release(ks, { everything: true }, body, principal),
  },
  {
    method: 'POST',
    path: '/workspaces/:id/release',
    permission: 'release',
    handle: ({ ks }, { params, body, principal }) =>
      release(ks, { workspace: pathId(params, 'id') }, body, principal),
  },
  {
    method: 'POST',
    path: '/backends/:id/reinstate',
    permission: 'release',
    handle: ({ ks }, { params, body, principal }) =>
      release(ks, { backend: pathId(params, 'id') }, body, principal),
  },
  {
    method: 'DELETE',
    path: '/backends/:id',
    permission: 'kill',
    async handle({ ks, waitMs }, { params, body, query, principal }) {
      const { reason } = parseInput('body', reasonBody, bodyOrQuery(body, query));
      return stopResponse(await ks.revokeBackend(pathId(params, 'id'), { principal, reason, waitMs }));
    },
  },
  {
    method: 'GET',
    path: '/orders/:id',
    permission: 'read',
    async handle({ ks }, { params, principal }) {
      const { orderId, scope, workspaceId, ownerId } = await ks.order(pathId(params, 'id'));
      try {
        await ks.authorise({ principal, action: 'read', scope, workspaceId, ownerId });
      } catch (error) {
        // An order that one may not see looks like one that is not there (I11).
        if (isKillswitchError(error, 'forbidden') || isKillswitchError(error, 'unknown-target'))
          throw new UnknownTargetError('order', orderId);
        throw error;
      }
      return { status: 200, body: stopBody(await ks.report(orderId)) };
    },
  },
  {
    method: 'GET',
    path: '/status',
    permission: 'own',
    async handle({ ks }, request) {
      const { gates, openOrders, auditDegraded } = await ks.status();
      const body = {
        hostId: ks.hostId,
        auditDegraded,
        gates: gates.filter((gate) => concerns(gate, request)).map(gateBody),
        openOrders: openOrders.filter((order) => concerns(order, request)).map(orderBody),
      };
      return { status: 200, body };
    },
  },
];

/** 200 when gates are open, 202 when it takes somebody else's approval too. */
async function release(
  ks: Killswitch,
  target: Scope,
  body: unknown,
  principal: Principal,
): Promise<HttpResponse> {
  const { reason } = parseInput('body', reasonBody, body ?? {});
  const { releaseId, scope, released, gates, approvals, needed } = await ks.release(target, {
    principal,
    reason,
  });
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

/** A stop of everything or of a backend concerns everybody; any other those of its workspace. */
function concerns({ workspaceId }: Gate | StopOrder, { principal }: HttpRequest): boolean {
  return workspaceId === undefined || belongsTo(principal, workspaceId);
}

function gateBody({ orderId, scope, opens, reason, principal, shutAt }: Gate) {
  return { orderId, scope, opens, reason, principal, shutAt: iso(shutAt) };
}

function orderBody({ orderId, scope, reason, principal, requestedAt, forceAt, deadlineAt }: StopOrder) {
  const times = { requestedAt: iso(requestedAt), forceAt: iso(forceAt), deadlineAt: iso(deadlineAt) };
  return { orderId, scope, reason, principal, ...times };
}
