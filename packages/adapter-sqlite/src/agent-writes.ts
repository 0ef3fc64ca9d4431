import {
  type Admission,
  type Agent,
  canonical,
  isLive,
  type ListKey,
  listKeysOf,
  scopeKeysOf,
} from '@agent-killswitch/core';
import type { Records } from './records.ts';
import type { Statements } from './statements.ts';

/** See `StateStore.admit`; within a transaction. */
export function admitAgent(sql: Statements, records: Records, agent: Agent): Admission {
  const keys = JSON.stringify(scopeKeysOf(agent));
  const gate = sql.gateOn.get(keys);
  if (gate !== undefined) return { result: 'gated', gate: records.gate(gate) };
  if (sql.agentState.get(agent.agentId) !== undefined) return { result: 'exists' };
  if (agent.parentId !== undefined) {
    if (sql.agentState.get(agent.parentId) === undefined) return { result: 'parent-unknown' };
    const ancestors = JSON.stringify([agent.parentId, ...agent.lineage]);
    if (sql.killedOf.get(ancestors) !== undefined) return { result: 'parent-killed' };
  }
  const { taskId, workspaceId, ownerId } = agent;
  const row = sql.task.get(taskId);
  const task = row === undefined ? undefined : records.task(row);
  if (task === undefined) sql.insertTask.run(taskId, canonical({ taskId, workspaceId, ownerId }));
  else if (task.workspaceId !== workspaceId || task.ownerId !== ownerId) return { result: 'task-conflict' };
  const stored = sql.insertAgent.get(agent.agentId, agent.revision, agent.status, canonical(agent));
  sql.enlist.run(stored?.seq ?? null, JSON.stringify(listKeysOf(agent)));
  return { result: 'admitted' };
}

/**
 * Stores an agent over the revision before its own; within a transaction. Does not read the stored record, so that one that
 * cannot be read can still be overtaken. `false`: another one is stored.
 */
export function swapAgent(sql: Statements, next: Agent): boolean {
  const stored = sql.agentState.get(next.agentId);
  if (stored === undefined || stored.revision !== next.revision - 1) return false;
  sql.updateAgent.run(next.revision, next.status, canonical(next), stored.seq);
  // While it lives its keys do not change.
  if (!isLive(next) || ended.has(stored.status)) {
    sql.delist.run(stored.seq, JSON.stringify(everyKeyOf(next)));
    sql.enlist.run(stored.seq, JSON.stringify(listKeysOf(next)));
  }
  if (next.status === 'killing' || next.status === 'killed') {
    sql.join.run(stored.seq, JSON.stringify(next.kill.orderIds));
  }
  return true;
}

/** The opposite of `isLive`, for a status alone. */
const ended: ReadonlySet<Agent['status']> = new Set(['completed', 'failed', 'killed']);

/** Under whatever key it may be listed, now or before. */
function everyKeyOf(agent: Agent): ListKey[] {
  return [...scopeKeysOf(agent), `cleanup:${agent.hostId}`];
}
