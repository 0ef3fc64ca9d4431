import type { Agent } from '@agent-killswitch/core';
import { admittedAnswer, type Bug, type Bugs, breaks, misadmits, mislists } from './broken-state-store.ts';

/** How far up an agent's ancestor with this id is; -1 if it is none. */
const levels = (agent: Agent, ancestor: string): number => agent.lineage.indexOf(ancestor);

function gatesWithin(depth: number): Bug {
  return misadmits((answer, agent) => {
    if (answer.result !== 'gated' || !('agent' in answer.gate.scope)) return answer;
    return levels(agent, answer.gate.scope.agent) < depth ? answer : admittedAnswer;
  });
}

function listsWithin(depth: number): Bug {
  return mislists('listAgents', (items, key) => items.filter((agent) => levels(agent, key.slice(6)) < depth));
}

function listsOrders(first: number): Bug {
  return mislists('listOrder', (items, key) =>
    items.filter((agent) => 'kill' in agent && agent.kill.orderIds.indexOf(key) < first),
  );
}

/** Stores the first of a batch, and claims to have stored the rest. */
function swapsOnly(first: number): Bug {
  return breaks((real) => ({
    swapAgents: async (changes) => {
      const won = await real.swapAgents(changes.slice(0, first));
      return changes.map((_, at) => won[at] ?? true);
    },
  }));
}

/** Pages end where the store's own limit lies, as if nothing came after. */
function capsPages(member: 'listAgents' | 'listOrder', limit: number): Bug {
  return breaks((real) => ({
    [member]: async (key: string, page: { limit: number; cursor?: string }) =>
      page.limit <= limit
        ? real[member](key, page)
        : { items: (await real[member](key, { ...page, limit })).items },
  }));
}

const forgetsEndedTasks = breaks((real) => ({
  getTask: async (taskId) => {
    const { items } = await real.listAgents(`task:${taskId}`, { limit: 1 });
    return items.length === 0 ? undefined : real.getTask(taskId);
  },
}));

export const depthAndSizeBugs: Bugs = {
  'admit refuses under a gate on an ancestor at any of 64 levels (I1)': [
    gatesWithin(3),
    gatesWithin(32),
    gatesWithin(63),
  ],
  'listAgents lists an agent’s descendants at each of 64 levels (I1)': [
    listsWithin(2),
    listsWithin(32),
    listsWithin(63),
  ],
  'listOrder lists an agent under each of ten orders that joined its kill (I7)': [
    listsOrders(2),
    listsOrders(9),
  ],
  'getTask still answers when every agent of the task has ended': [forgetsEndedTasks],
  'swapAgents stores a batch of 1,000, and answers true for what it stored': [
    swapsOnly(200),
    swapsOnly(999),
    breaks((real) => ({
      swapAgents: async (changes) => (await real.swapAgents(changes.slice(0, 500))).slice(0, 500),
    })),
    breaks((real) => ({
      swapAgents: async (changes) => (await real.swapAgents(changes)).map(() => true),
    })),
  ],
  'listings of 1,500 agents end only when every agent was listed, once': [
    capsPages('listAgents', 500),
    capsPages('listOrder', 500),
    capsPages('listAgents', 999),
    capsPages('listAgents', 1_400),
    capsPages('listOrder', 1_400),
    breaks((real) => ({
      listAgents: async (key, page) => ({ items: (await real.listAgents(key, page)).items }),
    })),
  ],
  '150 open orders and their gates are all listed, and 50 are released at once': [
    breaks((real) => ({ listOpenOrders: async () => (await real.listOpenOrders()).slice(0, 100) })),
    breaks((real) => ({ listGates: async () => (await real.listGates()).slice(0, 100) })),
    breaks((real) => ({ release: (orderIds) => real.release(orderIds.slice(0, 20)) })),
  ],
};
