import { type AuditEvent, auditEventSchema } from '@agent-killswitch/core';

type OrderRequested = Extract<AuditEvent, { type: 'order.requested' }>;
type CleanupFinished = Extract<AuditEvent, { type: 'cleanup.finished' }>;

/** A valid event about a stop order. `n` (0 or more) gives its id and, if not overridden, its order. */
export function sampleEvent(n: number, overrides: Partial<OrderRequested> = {}): AuditEvent {
  return auditEventSchema.parse({
    ...common(n),
    type: 'order.requested',
    operation: 'kill-task',
    scope: { task: `task-${n}` },
    principal: { id: 'someone', kind: 'user' },
    reason: `reason ${n}`,
    policyVersion: '1',
    orderId: `order-${n}`,
    opens: 'never',
    killAt: '2026-01-02T03:04:05.678Z',
    forceAt: '2026-01-02T03:04:07.678Z',
    deadlineAt: '2026-01-02T03:04:10.678Z',
    ...overrides,
  } satisfies OrderRequested);
}

/** A valid event that belongs to no order and may carry any text as its error. */
export function sampleFailure(n: number, error: string): AuditEvent {
  return auditEventSchema.parse({
    ...common(n),
    type: 'cleanup.finished',
    agentId: 'agent',
    taskId: 'task',
    step: 'worktree',
    status: 'failed',
    tries: 1,
    error,
  } satisfies CleanupFinished);
}

/** Consecutive sample events: `first`, `first + 1`, … */
export function sampleEvents(first: number, count: number): AuditEvent[] {
  return Array.from({ length: count }, (_, index) => sampleEvent(first + index));
}

function common(n: number) {
  return {
    id: String(n).padStart(26, '0'),
    version: 1 as const,
    time: '2026-01-02T03:04:05.678Z',
    hostId: 'host',
    workspaceId: 'workspace',
  };
}
