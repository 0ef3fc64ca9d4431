import type { Agent, Scope, StopOrder } from '@agent-killswitch/core';

export function agentOf(agentId: string, workspaceId = 'w'): Agent {
  return {
    ...{
      agentId,
      taskId: `t-${agentId}`,
      sessionIds: [],
      workspaceId,
      ownerId: 'o',
      backendId: 'b',
      lineage: [],
    },
    ...{ hostId: 'h', revision: 0, handles: [], resources: [], ledger: [], spawnedAt: 1, status: 'spawning' },
  };
}

export function claimedBy(agent: Agent, orderId: string): Agent {
  const kill = { orderIds: [orderId], statusBefore: 'running' as const, requestedAt: 2, errors: [] };
  return { ...agent, revision: agent.revision + 1, status: 'killing', kill } as Agent;
}

export function orderOf(orderId: string, scope: Scope, opens: StopOrder['opens'] = 'at-settle'): StopOrder {
  return {
    ...{ orderId, revision: 0, hostId: 'h', scope, opens, principal: { id: 'p', kind: 'user' } },
    ...{ reason: 'because', policyVersion: '1', requestedAt: 1, killAt: 1, forceAt: 2, deadlineAt: 3 },
  };
}
