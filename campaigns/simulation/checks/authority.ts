import { isKillswitchError, type Scope, type StopOrder } from '@agent-killswitch/core';
import type { History } from '../history.ts';
import { inScope, mayRelease, mayStop, people, tasks } from '../people.ts';
import { type Check, restMs } from './check.ts';

/** I11: every order is one that its principal may place, and touches only what is in its scope. */
export const authorityHolds: Check = ({ history }) => {
  const broken: string[] = [];
  const orders = new Map(history.requested.map(({ order }) => [order.orderId, order]));
  for (const orderId of history.orders.keys()) {
    const order = history.order(orderId);
    if (order !== undefined) orders.set(orderId, order);
  }
  for (const order of orders.values()) {
    const { orderId, scope, principal } = order;
    if (principal.id === leasePrincipal && isOfItself(history, order)) continue;
    const { workspaceId, ownerId }: { workspaceId?: string; ownerId?: string } = factsOf(history, scope);
    if (!mayStop(principal.id, scope, workspaceId, ownerId))
      broken.push(`I11: ${principal.id} stops ${JSON.stringify(scope)} with ${orderId}`);
  }
  for (const agentId of history.versions.keys()) {
    const agent = history.agent(agentId);
    if (agent === undefined || !('kill' in agent)) continue;
    for (const orderId of agent.kill.orderIds) {
      const order = orders.get(orderId);
      if (order === undefined || !inScope(order.scope, agent))
        broken.push(`I11: ${agentId} is killed by ${orderId}, which is not aimed at it`);
      else if (order.principal.id !== leasePrincipal && !mayTouch(order.principal.id, agent.workspaceId))
        broken.push(`I11: ${order.principal.id} kills ${agentId} of ${agent.workspaceId}`);
    }
  }
  return broken;
};

const leasePrincipal = 'system:lease';

/** A host stops its own agents, and nobody else's, when the store was out of its reach. */
function isOfItself({ lives }: History, { scope, requestedAt }: StopOrder): boolean {
  return lives.some(
    (life) =>
      'host' in scope &&
      scope.host === life.hostId &&
      life.bornAt <= requestedAt &&
      (life.diedAt ?? requestedAt) >= requestedAt &&
      life.wasDisturbed('store', requestedAt - restMs, requestedAt),
  );
}

/** I11: whoever has nothing to say in a workspace is told of its agents and tasks what they are told of unknown ones. */
export const foreignLooksUnknown: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { scope, principal, reason, answer } of history.stops) {
    if (answer === undefined || !('agent' in scope || 'task' in scope)) continue;
    const { workspaceId }: { workspaceId?: string } = factsOf(history, scope);
    if (workspaceId === undefined || mayTouch(principal.id, workspaceId)) continue;
    const isSilent = ['unknown-target', 'state-unavailable'].some((code) =>
      isKillswitchError(answer.error, code),
    );
    if (!isSilent)
      broken.push(`I11: ${principal.id} learns of ${JSON.stringify(scope)} from the answer to ${reason}`);
  }
  return broken;
};

/**
 * I9: nobody who was let in after an order's gate had opened is stopped by that order. Unless their host heard of the
 * order only after it had asked for the admission, and could not ask the store which of the two was first: then it has to
 * stop whoever may have been there before (I1, I6).
 */
export const openGatesStopNobody: Check = ({ history }) => {
  const broken: string[] = [];
  for (const [agentId, { seq, life, at }] of history.admissions) {
    const agent = history.agent(agentId);
    if (agent === undefined || !('kill' in agent)) continue;
    const asked = history.admits.find((call) => call.agentId === agentId)?.seq ?? seq;
    for (const { orderId, openedSeq = Number.POSITIVE_INFINITY, openedBy } of history.gates) {
      if (openedSeq > seq || !agent.kill.orderIds.includes(orderId)) continue;
      const heard = life.placementsHeard.get(orderId) ?? Number.POSITIVE_INFINITY;
      if (heard > asked && life.wasDisturbed('store', at - restMs, agent.kill.requestedAt)) continue;
      broken.push(
        `I9: ${agentId} came after ${openedBy} had opened the gate of ${orderId}, and is stopped by it`,
      );
    }
  }
  return broken;
};

/** I9: gates open only for enough entitled people who asked after the gate had shut, and for no agent principal. */
export const releasesArePeoples: Check = ({ history, world }) => {
  const broken: string[] = [];
  for (const { reason, principal, scope, answer } of history.releases) {
    if (answer?.released === undefined) continue;
    if (!mayRelease(principal.id, scope)) broken.push(`I9: ${reason} of ${principal.id} is accepted`);
  }
  for (const opening of history.openings) {
    const scopes = history.gates.filter(({ orderId }) => opening.orderIds.includes(orderId));
    const asked = new Set(opening.askedBy.filter((id) => scopes.every(({ scope }) => mayRelease(id, scope))));
    if (asked.size < world.approvals)
      broken.push(`I9: ${opening.orderIds} opened for ${[...asked]}, ${world.approvals} are needed`);
  }
  return broken;
};

function mayTouch(id: string, workspaceId: string): boolean {
  const grants = people.find((each) => each.id === id)?.grants ?? [];
  return grants.some((grant) => grant.role === 'super-admin' || grant.workspaceId === workspaceId);
}

function factsOf(history: History, scope: Scope) {
  if ('agent' in scope) return history.admissions.get(scope.agent)?.agent ?? {};
  if ('task' in scope) return tasks.find(({ taskId }) => taskId === scope.task) ?? {};
  return 'workspace' in scope ? { workspaceId: scope.workspace } : {};
}
