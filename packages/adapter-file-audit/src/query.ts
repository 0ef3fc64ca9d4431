import type { AuditQuery, AuditRecord } from '@agent-killswitch/core';

export function matches(query: AuditQuery, { seq, event }: AuditRecord): boolean {
  if (query.after !== undefined && seq <= query.after) return false;
  if (query.workspaceId !== undefined && event.workspaceId !== query.workspaceId) return false;
  return query.orderId === undefined || ('orderId' in event && event.orderId === query.orderId);
}
