import { expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { OwnAgents } from './own-agents.ts';
import { scopeKeysOf } from './scope.ts';

const agent = (agentId: string, taskId: string, lineage: string[] = []): Agent => ({
  ...{
    agentId,
    taskId,
    lineage,
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'o',
    backendId: 'b',
    hostId: 'h',
  },
  ...{ revision: 0, handles: [], resources: [], ledger: [], spawnedAt: 1, status: 'spawning' },
});

const ended = (agent: Agent): Agent =>
  ({ ...agent, revision: agent.revision + 1, status: 'completed', completedAt: 2 }) as Agent;

it('finds each agent under every scope that holds it, as its newest copy, until it has ended', () => {
  const own = new OwnAgents('h');
  const all = [agent('a', 't1'), agent('b', 't1', ['a']), agent('c', 't2', ['b', 'a'])];
  for (const each of all) own.note(each);
  const newest = { ...agent('b', 't1', ['a']), revision: 1 };
  own.note(newest);
  const kept = [all[0], newest, all[2]];
  for (const key of new Set(all.flatMap(scopeKeysOf))) {
    const wanted = kept.filter((each) => each !== undefined && scopeKeysOf(each).includes(key));
    expect(own.in(key), key).toEqual(wanted);
  }
  expect(own.in('task:none')).toEqual([]);
  own.note(ended(newest));
  own.note(ended(newest));
  expect(own.in('task:t1')).toEqual([all[0]]);
  expect(own.in('agent:a')).toEqual([all[0], all[2]]);
  expect(own.in('agent:b')).toEqual([all[2]]);
  expect(own.get('b')).toBeUndefined();
});

it('tells who was met before a moment, whatever became of them since', () => {
  const own = new OwnAgents('h');
  own.note(agent('a', 't'));
  const { met } = own;
  expect(own.in('task:t', met)).toHaveLength(1);
  own.note({ ...agent('a', 't'), revision: 1 });
  own.note(agent('b', 't'));
  expect(own.in('task:t', met).map(({ agentId, revision }) => [agentId, revision])).toEqual([['a', 1]]);
  own.note(ended({ ...agent('a', 't'), revision: 1 }));
  own.note(agent('a', 't'));
  expect(own.in('everything', met)).toEqual([]);
  expect(own.in('task:t')).toHaveLength(2);
});
