import {
  type Agent,
  isLive,
  type ScopeKind,
  type StateStore,
  scopeKind,
  type Task,
} from '@agent-killswitch/core';
import { admittedAnswer, type Bug, type Bugs, breaks, misadmits, turn } from './broken-state-store.ts';

function without({ parentId: _, ...agent }: Agent): Agent {
  return agent as Agent;
}

function opensFor(kind: ScopeKind): Bug {
  return misadmits((answer) =>
    answer.result === 'gated' && scopeKind(answer.gate.scope) === kind ? admittedAnswer : answer,
  );
}

const forgetsLineage = misadmits((answer, agent) => {
  if (answer.result !== 'gated' || !('agent' in answer.gate.scope)) return answer;
  return agent.lineage.includes(answer.gate.scope.agent) ? admittedAnswer : answer;
});

const forgetsGrandparents = misadmits((answer, agent) => {
  if (answer.result !== 'gated' || !('agent' in answer.gate.scope)) return answer;
  return agent.lineage.indexOf(answer.gate.scope.agent) > 0 ? admittedAnswer : answer;
});

const namesAnotherGate = misadmits(async (answer, _agent, real) => {
  const [first] = await real.listGates();
  return answer.result === 'gated' && first !== undefined ? { result: 'gated', gate: first } : answer;
});

/** Lets in children of a parent with this status. */
function acceptsParents(accepts: (parent: Agent | undefined) => boolean): Bug {
  return misadmits(async (answer, agent, real) => {
    if (!answer.result.startsWith('parent-') || agent.parentId === undefined) return answer;
    return accepts(await real.getAgent(agent.parentId)) ? real.admit(without(agent)) : answer;
  });
}

/** Looks at no ancestor of which `forgets` says so. */
function forgetsAncestors(forgets: (ancestor: Agent | undefined, distance: number) => boolean): Bug {
  return misadmits(async (answer, agent, real) => {
    if (answer.result !== 'parent-killed') return answer;
    const ancestors = await Promise.all(agent.lineage.map((id) => real.getAgent(id)));
    const isSeen = ancestors.some(
      (each, n) => (each?.status === 'killed' || each?.status === 'killing') && !forgets(each, n + 1),
    );
    return isSeen ? answer : real.admit(without(agent));
  });
}

/** Answers with `result` for children of a parent that is as `refuses` says. */
function refusesParents(refuses: (parent: Agent | undefined) => boolean): Bug {
  return misadmits(async (answer, agent, real) => {
    if (agent.parentId === undefined || !refuses(await real.getAgent(agent.parentId))) return answer;
    return { result: 'parent-killed' };
  });
}

function acceptsTasks(
  accepts: (agent: Agent, task: Task, real: StateStore) => boolean | Promise<boolean>,
): Bug {
  return misadmits(async (answer, agent, real) => {
    const task = await real.getTask(agent.taskId);
    if (answer.result !== 'task-conflict' || task === undefined) return answer;
    return (await accepts(agent, task, real)) ? admittedAnswer : answer;
  });
}

/** Looks first, with `look`, admits a moment later, and trusts what it saw. */
function looksBeforeItActs(refusal: string, look: (real: StateStore, agent: Agent) => Promise<boolean>): Bug {
  return breaks((real) => ({
    admit: async (agent) => {
      const free = await look(real, agent);
      await turn();
      const answer = await real.admit(agent);
      return answer.result === refusal && free ? admittedAnswer : answer;
    },
  }));
}

export const admissionBugs: Bugs = {
  'admit stores the agent and, if new, its task': [
    breaks(() => ({ getTask: async () => undefined })),
    breaks(() => ({ getAgent: async () => undefined })),
  ],
  'getAgent and getTask answer undefined for what was never admitted': [
    breaks((real) => ({ getAgent: async (id) => (await real.getAgent(id)) ?? Reflect.get({}, id) })),
    breaks((real) => ({ getTask: (id) => real.getTask(id.toLowerCase()) })),
    breaks((real) => ({ getTask: async (id) => (await real.getTask(id)) ?? (await real.getAgent(id)) })),
  ],
  'admit refuses under a gate on any of the agent’s scope keys, and names it (I1)': [
    ...(['everything', 'backend', 'workspace', 'task', 'agent'] as const).map(opensFor),
    forgetsLineage,
    forgetsGrandparents,
    namesAnotherGate,
  ],
  'admit does not refuse for a gate on a scope that the agent is not in': [
    misadmits(async (answer, _agent, real) => {
      const [gate] = await real.listGates();
      return gate === undefined ? answer : { result: 'gated', gate };
    }),
  ],
  'a refused agent leaves nothing behind': [
    breaks((real) => {
      const seen = new Map<string, Agent>();
      return {
        admit: async (agent) => {
          seen.set(agent.agentId, agent);
          return real.admit(agent);
        },
        getAgent: async (id) => (await real.getAgent(id)) ?? seen.get(id),
      };
    }),
    breaks((real) => {
      const seen = new Map<string, Task>();
      return {
        admit: async (agent) => {
          seen.set(agent.taskId, agent);
          return real.admit(agent);
        },
        getTask: async (id) => (await real.getTask(id)) ?? seen.get(id),
      };
    }),
  ],
  'an id that was ever used is refused as exists, and its record is untouched (I2)': [
    misadmits(async (answer, agent, real) => {
      const stored = await real.getAgent(agent.agentId);
      return stored !== undefined && !isLive(stored) ? admittedAnswer : answer;
    }),
    breaks((real) => {
      const latest = new Map<string, Agent>();
      return {
        admit: async (agent) => {
          latest.set(agent.agentId, agent);
          return real.admit(agent);
        },
        getAgent: async (id) => latest.get(id),
      };
    }),
  ],
  'an unknown parent is refused as parent-unknown': [acceptsParents((parent) => parent === undefined)],
  'a killing or killed parent is refused as parent-killed': [
    acceptsParents((parent) => parent?.status === 'killing'),
    acceptsParents((parent) => parent?.status === 'killed'),
  ],
  'a killing or killed ancestor is refused as parent-killed, also behind a parent that has ended (I2)': [
    acceptsParents((parent) => parent?.status === 'completed'),
    forgetsAncestors((ancestor, distance) => ancestor?.status === 'killed' && distance > 1),
    forgetsAncestors((ancestor, distance) => ancestor?.status === 'killing' && distance > 1),
    forgetsAncestors((_, distance) => distance > 2),
  ],
  'a parent that was not killed is accepted, also one that ended': [
    refusesParents((parent) => parent?.status === 'completed'),
    refusesParents((parent) => parent?.status === 'failed'),
    refusesParents((parent) => parent?.status !== 'running'),
  ],
  'a task of another workspace or owner is refused as task-conflict, for good': [
    acceptsTasks((agent, task) => agent.ownerId === task.ownerId),
    acceptsTasks((agent, task) => agent.workspaceId === task.workspaceId),
    acceptsTasks(async (agent, _task, real) => {
      return (await real.listAgents(`task:${agent.taskId}`, { limit: 1 })).items.length === 0;
    }),
  ],
  'refusals are checked in the order gated, exists, parent, task-conflict': [
    misadmits(async (answer, agent, real) =>
      (await real.getAgent(agent.agentId)) === undefined ? answer : { result: 'exists' },
    ),
    misadmits(async (answer, agent, real) => {
      const conflict = (await real.getTask(agent.taskId))?.ownerId !== agent.ownerId;
      return answer.result.startsWith('parent-') && conflict ? { result: 'task-conflict' } : answer;
    }),
    misadmits((answer, agent) =>
      answer.result === 'exists' && agent.parentId === 'nobody' ? { result: 'parent-unknown' } : answer,
    ),
  ],
  'of admissions racing for one id, one wins': [
    looksBeforeItActs('exists', async (real, { agentId }) => (await real.getAgent(agentId)) === undefined),
  ],
  'of admissions racing for one new task, only those of one owner win': [
    looksBeforeItActs(
      'task-conflict',
      async (real, { taskId }) => (await real.getTask(taskId)) === undefined,
    ),
  ],
  'an agent admitted while an order is placed is in a listing begun when that is done (I1)': [
    looksBeforeItActs('gated', async (real, { workspaceId }) => {
      const gates = await real.listGates();
      return !gates.some(({ scope }) => 'workspace' in scope && scope.workspace === workspaceId);
    }),
  ],
  'a child admitted while its parent is claimed is in a listing begun when that is done (I1)': [
    looksBeforeItActs('parent-killed', async (real, { parentId = '' }) => {
      return (await real.getAgent(parentId))?.status === 'spawning';
    }),
  ],
};
