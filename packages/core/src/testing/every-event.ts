import { type AuditEvent, type AuditEventType, auditEventSchema } from '../audit-event.ts';

const time = '2026-01-02T03:04:05.678Z';
const base = { version: 1 as const, time, hostId: 'node|1', workspaceId: 'w' };
const principal = { id: 'ada', kind: 'user' as const };
const request = {
  operation: 'kill-task' as const,
  scope: { task: 't' },
  principal,
  reason: 'größere Vorsicht 😀',
  policyVersion: 'p/1',
};
const kill = {
  ...request,
  orderId: 'o1',
  agentId: 'a',
  taskId: 't',
  sessionIds: ['s'],
  ownerId: 'ada',
  backendId: 'local',
  bulk: true,
  statusBefore: 'running' as const,
  forced: true,
  evidence: 'pid 7 gone',
  errors: ['Error: x'],
  requestedAt: time,
  signalledAt: time,
  forcedAt: time,
};

type Samples = { [T in AuditEventType]: Omit<Extract<AuditEvent, { type: T }>, 'id' | 'type'> };

const samples: Samples = {
  'order.requested': {
    ...base,
    ...request,
    orderId: 'o1',
    ownerId: 'ada',
    opens: 'never',
    killAt: time,
    forceAt: time,
    deadlineAt: time,
  },
  'order.joined': { ...base, ...request, orderId: 'o2', joinedOrderId: 'o1' },
  'agent.killed': { ...base, ...kill, confirmedAt: time },
  'agent.unconfirmed': { ...base, ...kill, unconfirmedAt: time },
  'cleanup.finished': {
    ...base,
    orderId: 'o1',
    agentId: 'a',
    taskId: 't',
    step: 'worktree',
    status: 'failed',
    tries: 3,
    error: 'busy',
  },
  'order.settled': { ...base, ...request, orderId: 'o1', total: 2, killed: 2 },
  'request.denied': {
    ...base,
    workspaceId: undefined,
    action: 'release',
    scope: { everything: true },
    principal: { id: 'bot', kind: 'agent' },
    denial: 'an agent principal may never release',
    policyVersion: 'p/1',
  },
  'release.requested': {
    ...base,
    releaseId: 'r1',
    scope: { workspace: 'w' },
    principal: { id: 'ci', kind: 'service' },
    reason: 'fixed',
    policyVersion: 'p/1',
    orderIds: ['o1', 'o3'],
  },
  'gate.released': {
    ...base,
    releaseId: 'r1',
    scope: { workspace: 'w' },
    principal,
    reason: 'fixed',
    orderIds: ['o1'],
    approvedBy: [principal],
  },
  'audit.event-refused': {
    ...base,
    orderId: 'o1',
    refusedId: '0000000001-agent.killed:a',
    refusedType: 'agent.killed',
    sha256: '0'.repeat(64),
    error: 'InvalidInputError: longer than 1048576 bytes',
  },
};

/** One valid event of every type. */
export const everyEvent: readonly AuditEvent[] = Object.entries(samples).map(([type, sample], n) =>
  JSON.parse(JSON.stringify(auditEventSchema.parse({ ...sample, type, id: `000000000${n}-${type}:a/b` }))),
);
