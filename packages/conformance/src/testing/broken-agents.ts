import type { Agent, Page } from '@agent-killswitch/core';
import { inScope } from '../state-store-pages.ts';
import { type Bug, type Bugs, breaks, mislists, pagesByOffset, turn } from './broken-state-store.ts';

/** Answers `true` as well where `wins` says so. */
function winsToo(wins: (change: Agent, stored: Agent | undefined) => boolean): Bug {
  return breaks((real) => ({
    swapAgents: async (changes) => {
      const stored = await Promise.all(changes.map((change) => real.getAgent(change.agentId)));
      const won = await real.swapAgents(changes);
      return changes.map((change, at) => won[at] === true || wins(change, stored[at]));
    },
  }));
}

const upserts = breaks((real) => ({
  swapAgents: async (changes) => {
    const won = await real.swapAgents(changes);
    for (const change of changes) await real.admit(change);
    return won;
  },
}));

const looksBeforeItSwaps = breaks((real) => ({
  swapAgents: async (changes) => {
    const stored = await Promise.all(changes.map((change) => real.getAgent(change.agentId)));
    await turn();
    await real.swapAgents(changes);
    return changes.map((change, at) => stored[at]?.revision === change.revision - 1);
  },
}));

const shownAsAdmitted = breaks((real) => {
  const first = new Map<string, Agent>();
  return {
    admit: async (agent) => {
      first.set(agent.agentId, agent);
      return real.admit(agent);
    },
    listAgents: async (key, page) => {
      const answer = await real.listAgents(key, page);
      return { ...answer, items: answer.items.map((agent) => first.get(agent.agentId) ?? agent) };
    },
  };
});

/** Pages in the order of the last change, which moves an agent while somebody pages. */
const pagesByLastChange = breaks((real) => {
  const changedAt = new Map<string, number>();
  let now = 0;
  const touch = (agent: Agent) => changedAt.set(agent.agentId, ++now);
  return {
    admit: async (agent) => {
      touch(agent);
      return real.admit(agent);
    },
    swapAgents: async (changes) => {
      changes.forEach(touch);
      return real.swapAgents(changes);
    },
    listAgents: async (key, page): Promise<Page<Agent>> => {
      const at = (agent: Agent) => changedAt.get(agent.agentId) ?? 0;
      const later = (await inScope(real, key)).filter((agent) => at(agent) > Number(page.cursor ?? 0));
      const items = later.sort((a, b) => at(a) - at(b)).slice(0, page.limit);
      const last = items.at(-1);
      return last === undefined || items.length === later.length
        ? { items }
        : { items, cursor: String(at(last)) };
    },
  };
});

const forgetsTheRest = breaks((real) => ({
  listAgents: async (key, page) => ({ items: (await real.listAgents(key, page)).items }),
  listOrder: async (orderId, page) => ({ items: (await real.listOrder(orderId, page)).items }),
}));

const ignoresTheLimit = breaks((real) => ({
  listAgents: (key, page) => real.listAgents(key, { ...page, limit: 10_000 }),
  listOrder: (orderId, page) => real.listOrder(orderId, { ...page, limit: 10_000 }),
}));

const orderIdsOf = (agent: Agent): readonly string[] => ('kill' in agent ? agent.kill.orderIds : []);

export const agentBugs: Bugs = {
  'swapAgents stores exactly the next revision and nothing else': [
    winsToo((change, stored) => change.revision === stored?.revision),
    winsToo((change, stored) => stored !== undefined && change.revision > stored.revision),
    winsToo((change, stored) => stored !== undefined && change.revision < stored.revision),
    breaks(() => ({ swapAgents: async (changes) => changes.map((change) => change.status === 'running') })),
  ],
  'swapAgents answers false for an agent that is not there, and stores nothing': [
    winsToo((_change, stored) => stored === undefined),
    upserts,
  ],
  'swapAgents treats each agent on its own and answers in the order given': [
    breaks((real) => ({
      swapAgents: async (changes) => {
        const stored = await Promise.all(changes.map((change) => real.getAgent(change.agentId)));
        const all = changes.every((change, at) => stored[at]?.revision === change.revision - 1);
        return all ? real.swapAgents(changes) : changes.map(() => false);
      },
    })),
    breaks((real) => ({ swapAgents: async (changes) => [...(await real.swapAgents(changes))].sort() })),
    breaks((real) => ({
      swapAgents: async (changes) => [...(await real.swapAgents([...changes].reverse()))],
    })),
    breaks((real) => ({ swapAgents: async (changes) => (await real.swapAgents(changes)).filter(Boolean) })),
  ],
  'swapAgents of no agents is an empty answer': [
    breaks((real) => ({
      swapAgents: async (changes) => (changes.length === 0 ? [false] : real.swapAgents(changes)),
    })),
  ],
  'of two changes of one agent in one batch, one wins': [looksBeforeItSwaps],
  'of 100 changes racing from one revision, one wins': [looksBeforeItSwaps],
  'listAgents lists an agent under each of its scope keys, ancestors included, and no other': [
    mislists('listAgents', (items, key) =>
      key.startsWith('agent:') ? items.filter((agent) => key === `agent:${agent.agentId}`) : items,
    ),
    mislists('listAgents', (items, key) =>
      items.filter((agent) => !key.startsWith('agent:') || agent.lineage.indexOf(key.slice(6)) <= 0),
    ),
    mislists('listAgents', async (items, key, real) =>
      key === 'backend:b' ? (await real.listAgents('everything', { limit: 9 })).items : items,
    ),
    mislists('listAgents', async (items, key, real) =>
      key === 'task:root' ? (await real.listAgents('agent:root', { limit: 9 })).items : items,
    ),
  ],
  'listAgents lists the live agents only: spawning, running and killing': [
    ...(['spawning', 'running', 'killing'] as const).map((status) =>
      mislists('listAgents', (items) => items.filter((agent) => agent.status !== status)),
    ),
    mislists('listAgents', async (items, key, real) => {
      const ended = key === 'agent:killed' ? await real.getAgent('killed') : undefined;
      return ended === undefined ? items : [...items, ended];
    }),
    mislists('listAgents', async (items, key, real) => {
      const ended = key === 'backend:b' ? await real.getAgent('completed') : undefined;
      return ended === undefined ? items : [...items, ended];
    }),
  ],
  'listAgents gives the record as it was last stored': [shownAsAdmitted],
  'listOrder lists the agents whose kill record names the order, in any status': [
    mislists('listOrder', (items) => items.filter((agent) => agent.status === 'killing')),
    mislists('listOrder', (items) => items.filter((agent) => agent.status === 'killed')),
    mislists('listOrder', async (_items, _key, real) => inScope(real, 'everything')),
  ],
  'listOrder lists an agent under every order that joined its kill, once (I7)': [
    mislists('listOrder', (items, key) => items.filter((agent) => orderIdsOf(agent)[0] === key)),
    mislists('listOrder', (items, key) => items.filter((agent) => orderIdsOf(agent).at(-1) === key)),
    mislists('listOrder', (items) => items.flatMap((agent) => orderIdsOf(agent).map(() => agent))),
  ],
  'listOrder pages: at most the limit, every agent once, an end': [
    ignoresTheLimit,
    forgetsTheRest,
    pagesByOffset('listOrder', (limit) => Math.max(1, limit - 1)),
    pagesByOffset('listOrder', () => 0),
  ],
  'listAgents pages: at most the limit, every agent once, an end': [
    ignoresTheLimit,
    forgetsTheRest,
    pagesByOffset('listAgents', (limit) => Math.max(1, limit - 1)),
    pagesByOffset('listAgents', (limit) => limit + 1),
    pagesByOffset('listAgents', () => 0),
  ],
  'an agent that is live throughout is on one page while others end and come': [pagesByOffset('listAgents')],
  'an agent that changes between pages is still on one of them': [pagesByLastChange],
  'a sweep that kills what each page lists reaches every agent': [pagesByOffset('listAgents')],
};
