import type { Agent } from '../agent.ts';

/** The very same record, which nobody can change any more, at any depth. */
export function frozen<T>(record: T): T {
  if (typeof record !== 'object' || record === null || Object.isFrozen(record)) return record;
  Object.freeze(record);
  for (const part of Object.values(record)) frozen(part);
  return record;
}

/**
 * Like {@link frozen}, and faster: few of an agent's members hold more than a value, and what it has in common with a copy
 * `before` that is frozen, is so.
 */
export function frozenAgent(agent: Agent, before?: Agent): Agent {
  if (Object.isFrozen(agent)) return agent;
  Object.freeze(agent);
  if (agent.sessionIds !== before?.sessionIds) frozen(agent.sessionIds);
  if (agent.lineage !== before?.lineage) frozen(agent.lineage);
  if (agent.handles !== before?.handles) frozen(agent.handles);
  if (agent.resources !== before?.resources) frozen(agent.resources);
  if (agent.ledger !== before?.ledger) frozen(agent.ledger);
  if (!('kill' in agent)) return agent;
  // Of a kill record two members are lists, of texts.
  Object.freeze(agent.kill);
  Object.freeze(agent.kill.orderIds);
  Object.freeze(agent.kill.errors);
  return agent;
}
