import {
  type Agent,
  type Gate,
  iso,
  type KillOutcome,
  type OrderReport,
  type StopOrder,
} from '@agent-killswitch/core';
import type { StopResponse } from './answers.ts';

/** An order's report as it is told over HTTP; times are RFC 3339. */
export function stopBody(report: OrderReport): StopResponse {
  const { orderId, stored, settled, scope, reason, total, killed, failed, errors } = report;
  return {
    message: messageOf(report),
    ...{ orderId, stored, settled, scope, reason },
    requestedAt: iso(report.requestedAt),
    deadlineAt: iso(report.deadlineAt),
    ...{ total, killed, failed },
    outcomes: report.outcomes.map(outcomeBody),
    errors: [...errors],
  };
}

/** What of an agent is shown to whoever may see it: nothing that reaches it. */
export function agentBody(agent: Agent) {
  const {
    agentId,
    taskId,
    sessionIds,
    workspaceId,
    ownerId,
    backendId,
    parentId,
    hostId,
    agentType,
    status,
  } = agent;
  return {
    ...{ agentId, taskId, sessionIds, workspaceId, ownerId, backendId, parentId, hostId, agentType, status },
    spawnedAt: iso(agent.spawnedAt),
    ...times(agent, 'startedAt'),
    ...('kill' in agent ? { orderIds: agent.kill.orderIds } : {}),
  };
}

function outcomeBody(outcome: KillOutcome): StopResponse['outcomes'][number] {
  const { agentId, taskId, sessionIds, workspaceId, statusBefore, forced, evidence } = outcome;
  return {
    ...{ agentId, taskId, sessionIds: [...sessionIds], workspaceId, statusBefore },
    outcome: outcome.outcome,
    forced,
    requestedAt: iso(outcome.requestedAt),
    ...times(outcome, 'signalledAt', 'forcedAt', 'unconfirmedAt', 'confirmedAt'),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** The named times that are there, as RFC 3339. */
function times<K extends string>(from: { readonly [T in K]?: number | undefined }, ...names: readonly K[]) {
  const given: { [T in K]?: string } = {};
  for (const name of names) {
    const at = from[name];
    if (at !== undefined) given[name] = iso(at);
  }
  return given;
}

function messageOf({ total, killed, failed, settled }: OrderReport): string {
  const agents = total === 1 ? 'agent' : 'agents';
  if (settled)
    return total === 0
      ? 'Stopped; no agent was alive'
      : `Killed ${killed} of ${total} ${agents}, each observed dead`;
  if (killed === total && total > 0)
    return `Each of ${total} ${agents} observed dead; their cleanup or the record of it is not done yet`;
  const named = failed === 0 ? '' : `, ${failed} not confirmed dead`;
  return `Still stopping: ${killed} of ${total} ${agents} observed dead${named}`;
}

export function gateBody({ orderId, scope, opens, reason, principal, shutAt }: Gate) {
  return { orderId, scope, opens, reason, principal, shutAt: iso(shutAt) };
}

export function orderBody({
  orderId,
  scope,
  reason,
  principal,
  requestedAt,
  forceAt,
  deadlineAt,
}: StopOrder) {
  const times = { requestedAt: iso(requestedAt), forceAt: iso(forceAt), deadlineAt: iso(deadlineAt) };
  return { orderId, scope, reason, principal, ...times };
}
