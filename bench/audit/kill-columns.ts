import { type AuditEvent, canonical } from '@agent-killswitch/core';

/** What of a kill stands in columns that are texts, or are written as such. */
export const killColumnNames = [
  'chain',
  'prev',
  'hash',
  'event',
  'event_id',
  'type',
  'event_time',
  'host_id',
  'workspace_id',
  'order_id',
  'task_id',
  'agent_id',
  'session_ids',
  'owner_id',
  'backend_id',
  'principal_id',
  'principal_kind',
  'reason',
  'status_before',
  'outcome',
  'policy_version',
] as const;

/** Their values, in this order. */
export function killColumns(event: AuditEvent, prev: string, hash: string): readonly string[] {
  if (event.type !== 'agent.killed') throw new TypeError('only kills');
  const { principal, sessionIds, workspaceId = '' } = event;
  return [
    ...[
      workspaceId,
      prev,
      hash,
      canonical(event),
      event.id,
      event.type,
      event.time,
      event.hostId,
      workspaceId,
    ],
    ...[
      event.orderId,
      event.taskId,
      event.agentId,
      `{${sessionIds.join(',')}}`,
      event.ownerId,
      event.backendId,
    ],
    ...[principal.id, principal.kind, event.reason, event.statusBefore, 'confirmed', event.policyVersion],
  ];
}
