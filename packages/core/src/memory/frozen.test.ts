import { expect, it } from 'vitest';
import { type Agent, agentSchema } from '../agent.ts';
import { type LifecycleEvent, transition } from '../lifecycle.ts';
import { memoryState } from './memory-state.ts';

const handle = (id: number) => ({ runtime: 'memory', id, at: { pid: [7] } });
const spawning: Agent = {
  agentId: 'a1',
  taskId: 't',
  sessionIds: ['s1'],
  workspaceId: 'w',
  ownerId: 'o',
  backendId: 'b',
  lineage: [],
  hostId: 'h',
  revision: 0,
  handles: [],
  resources: [{ kind: 'worktree', path: { root: '/srv' } }],
  ledger: [{ step: 'worktree', status: 'pending', tries: 0 }],
  spawnedAt: 1,
  status: 'spawning',
};
const progress = { signalledAt: 3, errors: ['it did not listen'] };
const life: readonly LifecycleEvent[] = [
  { type: 'running', at: 2, handles: [handle(1)] },
  { type: 'claim', at: 3, orderId: 'o1' },
  { type: 'running', at: 4, handles: [handle(2)] },
  { type: 'claim', at: 5, orderId: 'o2' },
  { type: 'unconfirmed', at: 6, progress, evidence: 'it lives' },
  { type: 'confirmed', at: 7, progress, evidence: 'gone', handles: 2 },
  { type: 'cleaned', ledger: [{ step: 'worktree', status: 'failed', tries: 3, error: 'busy', retryAt: 9 }] },
  { type: 'clean-up-again', at: 8 },
];

/** Paths of what can still be changed in a value. */
function changeable(value: unknown, path = 'agent'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const parts = Object.entries(value).flatMap(([name, part]) => changeable(part, `${path}.${name}`));
  return Object.isFrozen(value) ? parts : [path, ...parts];
}

it('whatever becomes of a stored agent, nobody can change any part of it', async () => {
  const state = memoryState();
  await state.admit(spawning);
  let agent: Agent = spawning;
  for (const event of life) {
    [agent] = transition(agent, event);
    expect(await state.swapAgents([agent])).toEqual([true]);
    expect(changeable(await state.getAgent('a1')), event.type).toEqual([]);
  }
});

it('a copy that shares nothing with the one before is frozen as deep', async () => {
  const state = memoryState();
  await state.admit(spawning);
  let agent: Agent = spawning;
  for (const event of life) {
    [agent] = transition(agent, event);
    agent = structuredClone(agent);
    await state.swapAgents([agent]);
    expect(changeable(await state.getAgent('a1')), event.type).toEqual([]);
  }
});

it('of a kill record only what is known to be frozen holds more than a value', () => {
  const killed = agentSchema.options[3];
  const { kill } = killed.shape;
  const nested = Object.entries(kill.shape)
    .filter(([, schema]) => ['array', 'object', 'record', 'union'].includes(schema.def.type))
    .map(([name]) => name);
  expect(nested).toEqual(['orderIds', 'errors']);
});
