import type { Agent, KillRecord, LedgerEntry } from './agent.ts';
import { type AuditEvent, iso } from './audit-event.ts';
import { factId } from './ids.ts';
import { operationOf, type StopOrder } from './order.ts';
import type { Actor } from './principal.ts';

/**
 * The audit events that follow from stored state. Each has the same id whenever it is made again from the same state,
 * so that what a crash left out can be added, and what it did not is not doubled (I4).
 */
type KilledAgentLike = Agent & { readonly kill: KillRecord };

export function orderRequested(order: StopOrder, hostId: string): AuditEvent {
  return {
    ...ofOrder(order, 'order.requested', hostId, order.requestedAt),
    type: 'order.requested',
    ...(order.ownerId === undefined ? {} : { ownerId: order.ownerId }),
    opens: order.opens,
    killAt: iso(order.killAt),
    forceAt: iso(order.forceAt),
    deadlineAt: iso(order.deadlineAt),
  };
}

export function orderJoined(order: StopOrder, joined: StopOrder, hostId: string): AuditEvent {
  return {
    ...ofOrder(order, 'order.joined', hostId, order.requestedAt),
    type: 'order.joined',
    joinedOrderId: joined.orderId,
  };
}

/** Who has brought the order's deadlines nearer: for each the very two facts that the host tells that was asked. */
export function hardenersOf(order: StopOrder, hostId: string): Array<[AuditEvent, AuditEvent]> {
  return (order.hardenedBy ?? []).map((by) => {
    const asked = { ...order, ...by };
    return [orderRequested(asked, hostId), orderJoined(asked, order, hostId)];
  });
}

export function orderSettled(
  order: StopOrder,
  hostId: string,
  at: number,
  total: number,
  killed: number,
): AuditEvent {
  return { ...ofOrder(order, 'order.settled', hostId, at), type: 'order.settled', total, killed };
}

/** `orderIds`: whose gates are open now, by this release. */
export function gateReleased(
  requested: Extract<AuditEvent, { type: 'release.requested' }>,
  at: number,
  orderIds: readonly string[],
  approvedBy: readonly Actor[],
): AuditEvent {
  const { policyVersion: _, ...fact } = requested;
  const id = factId(Date.parse(requested.time), `gate.released:${requested.releaseId}`);
  return {
    ...fact,
    id,
    time: iso(at),
    type: 'gate.released',
    orderIds: [...orderIds],
    approvedBy: [...approvedBy],
  };
}

/**
 * The same fact as that of {@link gateReleased}, from what the store holds of orders whose gates one release has opened.
 * `undefined` if none of them is released, or none says who asked.
 */
export function gateSeenReleased(orders: readonly StopOrder[], hostId: string): AuditEvent | undefined {
  const [first] = orders;
  const { released } = first ?? {};
  if (first === undefined || released?.request === undefined) return undefined;
  const { request, releaseId, at, approvedBy } = released;
  const workspace = first.workspaceId === undefined ? {} : { workspaceId: first.workspaceId };
  return {
    id: factId(request.at, `gate.released:${releaseId}`),
    version: 1,
    time: iso(at),
    hostId,
    ...workspace,
    type: 'gate.released',
    releaseId,
    scope: first.scope,
    principal: request.principal,
    reason: request.reason,
    orderIds: orders.map(({ orderId }) => orderId),
    approvedBy,
  };
}

/** `order` is the one that claimed the agent. */
export function agentKilled(order: StopOrder, agent: KilledAgentLike, hostId: string): AuditEvent {
  const at = agent.kill.confirmedAt ?? order.requestedAt;
  return ofKill(order, agent, hostId, at, { type: 'agent.killed', confirmedAt: iso(at) });
}

export function agentUnconfirmed(order: StopOrder, agent: KilledAgentLike, hostId: string): AuditEvent {
  const at = agent.kill.unconfirmedAt ?? order.deadlineAt;
  return ofKill(order, agent, hostId, at, { type: 'agent.unconfirmed', unconfirmedAt: iso(at) });
}

/** Failing again is the same fact, as is being done again. */
export function cleanupFinished(
  agent: Agent,
  entry: LedgerEntry & { readonly status: 'done' | 'failed' },
  hostId: string,
  at: number,
): AuditEvent {
  const orderId = 'kill' in agent ? agent.kill.orderIds[0] : undefined;
  return {
    id: factId(agent.spawnedAt, `cleanup.finished:${agent.agentId}/${entry.step}/${entry.status}`),
    version: 1,
    time: iso(at),
    hostId,
    workspaceId: agent.workspaceId,
    type: 'cleanup.finished',
    ...(orderId === undefined ? {} : { orderId }),
    agentId: agent.agentId,
    taskId: agent.taskId,
    step: entry.step,
    status: entry.status,
    tries: entry.tries,
    ...(entry.error === undefined ? {} : { error: entry.error }),
  };
}

function ofOrder(order: StopOrder, type: string, hostId: string, at: number) {
  const workspace = order.workspaceId === undefined ? {} : { workspaceId: order.workspaceId };
  return {
    id: factId(order.requestedAt, `${type}:${order.orderId}`),
    version: 1 as const,
    time: iso(at),
    hostId,
    ...workspace,
    operation: operationOf(order),
    scope: order.scope,
    principal: order.principal,
    reason: order.reason,
    policyVersion: order.policyVersion,
    orderId: order.orderId,
  };
}

type Outcome =
  | { readonly type: 'agent.killed'; readonly confirmedAt: string }
  | { readonly type: 'agent.unconfirmed'; readonly unconfirmedAt: string };

/** Written out in one piece: a kill-all makes one of these per agent. */
function ofKill(
  order: StopOrder,
  agent: KilledAgentLike,
  hostId: string,
  at: number,
  outcome: Outcome,
): AuditEvent {
  const { kill } = agent;
  return {
    // Not from when it was claimed: two hosts may have claimed it, one of them without the store, and mean one kill.
    id: factId(agent.spawnedAt, `${outcome.type}:${agent.agentId}`),
    version: 1,
    time: iso(at),
    hostId,
    workspaceId: agent.workspaceId,
    operation: operationOf(order),
    scope: order.scope,
    principal: order.principal,
    reason: order.reason,
    policyVersion: order.policyVersion,
    orderId: order.orderId,
    agentId: agent.agentId,
    taskId: agent.taskId,
    sessionIds: agent.sessionIds,
    ownerId: agent.ownerId,
    backendId: agent.backendId,
    bulk: !('agent' in order.scope),
    statusBefore: kill.statusBefore,
    forced: kill.forcedAt !== undefined,
    evidence: kill.evidence ?? '',
    errors: kill.errors,
    requestedAt: iso(kill.requestedAt),
    signalledAt: kill.signalledAt === undefined ? undefined : iso(kill.signalledAt),
    forcedAt: kill.forcedAt === undefined ? undefined : iso(kill.forcedAt),
    ...outcome,
  };
}
