import { type AuditEvent, canonical } from '@agent-killswitch/core';
import { columnNames } from '../../packages/adapter-postgres-audit/src/columns.ts';

/** What of a kill stands in columns that are texts, or are written as such. */
export const killColumnNames = ['chain', 'prev', 'hash', 'event', ...columnNames] as const;

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
