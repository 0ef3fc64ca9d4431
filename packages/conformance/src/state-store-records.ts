import {
  type Agent,
  canonical,
  type KillingAgent,
  type KillRecord,
  type Scope,
  type StateStore,
  type StopOrder,
} from '@agent-killswitch/core';
import { expectThat } from './clause.ts';

/** An arbitrary point in time that every record of the suite counts from. */
export const epoch = 1_700_000_000_000;

/** An agent as the core hands it to `admit`. */
export function agentOf(agentId: string, more: Partial<Agent> = {}): Agent {
  return {
    agentId,
    taskId: `task-of-${agentId}`,
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'o',
    backendId: 'b',
    lineage: [],
    hostId: 'h',
    handles: [],
    resources: [],
    ledger: [],
    spawnedAt: epoch,
    ...more,
    revision: 0,
    status: 'spawning',
  } as Agent;
}

/** A child of `parent` as the core hands it to `admit`. */
export function childOf(parent: Agent, agentId: string): Agent {
  return agentOf(agentId, { parentId: parent.agentId, lineage: [parent.agentId, ...parent.lineage] });
}

function next(agent: Agent, change: object): Agent {
  return { ...agent, ...change, revision: agent.revision + 1 } as Agent;
}

export function running(agent: Agent): Agent {
  return next(agent, { status: 'running', startedAt: epoch + 1, handles: [{ runtime: 'process', pid: 71 }] });
}

export function completed(agent: Agent): Agent {
  return next(agent, { status: 'completed', completedAt: epoch + 2 });
}

export function failed(agent: Agent): Agent {
  return next(agent, { status: 'failed', completedAt: epoch + 2, error: 'no' });
}

/** Claimed by this order, or joined by it. */
export function claimed(agent: Agent, orderId = 'order'): Agent {
  const kill: KillRecord =
    agent.status === 'killing'
      ? { ...agent.kill, orderIds: [...agent.kill.orderIds, orderId] }
      : { orderIds: [orderId], statusBefore: 'running', requestedAt: epoch + 3, errors: [] };
  return next(agent, { status: 'killing', kill });
}

/** What follows a claim. */
export function killed(agent: Agent): Agent {
  const kill = { ...(agent as KillingAgent).kill, confirmedAt: epoch + 4, evidence: 'gone' };
  return next(agent, { status: 'killed', kill, completedAt: epoch + 4 });
}

export function orderOf(
  orderId: string,
  scope: Scope,
  opens: StopOrder['opens'] = 'at-settle',
  requestedAt: number = epoch,
): StopOrder {
  return {
    orderId,
    revision: 0,
    hostId: 'h',
    scope,
    opens,
    principal: { id: 'someone', kind: 'user' },
    reason: 'because',
    policyVersion: '1',
    requestedAt,
    killAt: requestedAt,
    forceAt: requestedAt + 2_000,
    deadlineAt: requestedAt + 5_000,
  };
}

export function settled(order: StopOrder): StopOrder {
  return { ...order, revision: order.revision + 1, settledAt: order.requestedAt + 9 };
}

/** Admits them and returns them. */
export async function admitted(store: StateStore, ...agents: Agent[]): Promise<Agent[]> {
  for (const agent of agents) {
    const { result } = await store.admit(agent);
    expectThat(result === 'admitted', `agent "${agent.agentId}" is admitted, not ${result}`);
  }
  return agents;
}

/** Stores `change` of the agent as it stands, and returns the stored record. */
export async function changed(
  store: StateStore,
  agent: Agent,
  ...changes: ((a: Agent) => Agent)[]
): Promise<Agent> {
  let record = agent;
  for (const change of changes) {
    record = change(record);
    const [won] = await store.swapAgents([record]);
    expectThat(won === true, `revision ${record.revision} of agent "${agent.agentId}" is stored`);
  }
  return record;
}

/** Whether two records say the same. */
export function same(a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && canonical(a) === canonical(b);
}

export function expectSame(actual: unknown, expected: unknown, what: string): void {
  expectThat(same(actual, expected), `${what} is ${text(expected)}, not ${text(actual)}`);
}

function text(value: unknown): string {
  return value === undefined ? 'undefined' : canonical(value).slice(0, 400);
}
