import { type AuditEvent, auditEventSchema } from '@agent-killswitch/core';

const time = '2026-01-02T03:04:05.678Z';
const base = { version: 1 as const, time, hostId: 'node|1', workspaceId: 'w' };
const request = {
  operation: 'kill-task' as const,
  scope: { task: 't' },
  principal: { id: 'ada', kind: 'user' as const },
  reason: 'größere Vorsicht 😀',
  policyVersion: 'p/1',
};
const kill = {
  ...request,
  orderId: 'o1',
  agentId: 'a',
  taskId: 't',
  sessionIds: ['s', 's2'],
  ownerId: 'ada',
  backendId: 'local',
  bulk: true,
  statusBefore: 'running' as const,
  forced: true,
  evidence: 'pid 7 gone',
  errors: [],
  requestedAt: time,
};
const cleanup = { type: 'cleanup.finished', agentId: 'a', taskId: 't', step: 'worktree', tries: 1 } as const;

/** Events of one chain in many shapes. */
export const plainEvents: readonly AuditEvent[] = [
  { ...base, ...kill, id: '1', type: 'agent.killed', confirmedAt: time },
  { ...base, ...kill, id: '2', type: 'agent.killed', confirmedAt: time, sessionIds: [], forced: false },
  { ...base, ...kill, id: '3', type: 'agent.unconfirmed', unconfirmedAt: time, sessionIds: ['s'] },
  { ...base, ...request, id: '4', type: 'order.settled', orderId: 'o1', total: 3, killed: 3 },
  {
    ...base,
    ...request,
    id: '5',
    type: 'order.joined',
    orderId: 'o2',
    joinedOrderId: 'o1',
    scope: { backend: 'b' },
  },
  { ...base, ...cleanup, id: '6', status: 'done' },
  { ...base, ...cleanup, id: '7', status: 'failed', error: 'EBUSY' },
  {
    ...base,
    id: '8',
    type: 'request.denied',
    action: 'kill',
    scope: { everything: true },
    principal: { id: 'eve', kind: 'agent' },
    denial: 'no grant',
    policyVersion: 'p/1',
  },
].map((event) => auditEventSchema.parse(event));
