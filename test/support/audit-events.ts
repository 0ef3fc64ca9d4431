import { type AuditEvent, iso } from '@agent-killswitch/core';

const epoch = Date.UTC(2026, 0, 2, 3, 4, 5);

/** The n-th of an endless row of valid audit events: a kill of one agent, whole, each a little different. */
export function killedEvent(n: number): AuditEvent {
  const at = epoch + n * 7;
  return {
    id: n.toString().padStart(26, '0'),
    version: 1,
    time: iso(at),
    hostId: `host-${n % 3}`,
    workspaceId: `workspace-${n % 5}`,
    type: 'agent.killed',
    operation: 'kill-task',
    scope: { task: `task-${n % 97}` },
    principal: { id: 'ada', kind: 'user' },
    reason: 'The build agents fill the disk; größere Vorsicht',
    policyVersion: 'roles-1',
    orderId: `order-${n % 97}`,
    agentId: `agent-${n}`,
    bulk: false,
    taskId: `task-${n % 97}`,
    sessionIds: [`session-${n}`],
    ownerId: 'grace',
    backendId: 'local',
    statusBefore: n % 2 === 0 ? 'running' : 'spawning',
    forced: n % 4 === 0,
    evidence: `pid ${1_000 + n} and 3 descendants gone from /proc`,
    errors: [],
    requestedAt: iso(at - 900),
    signalledAt: iso(at - 890),
    confirmedAt: iso(at),
  };
}
