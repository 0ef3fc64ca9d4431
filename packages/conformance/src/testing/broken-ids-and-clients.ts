import { type Agent, type StateStore, scopeKey } from '@agent-killswitch/core';
import { memoryState } from '@agent-killswitch/core/memory';
import { type Bug, type Bugs, breaks, but, mislists } from './broken-state-store.ts';

/** Folds ids before it uses them as keys. */
function findsBy(fold: (id: string) => string): Bug {
  return breaks((real) => {
    const seen = new Map<string, Agent>();
    return {
      admit: async (agent) => {
        seen.set(fold(agent.agentId), agent);
        return real.admit(agent);
      },
      getAgent: async (id) => seen.get(fold(id)),
    };
  });
}

/** Takes a gate on one scope for a gate on another whose key folds to the same. */
function gatesBy(fold: (key: string) => string): Bug {
  return breaks((real) => ({
    admit: async (agent) => {
      const gates = await real.listGates();
      const gate = gates.find(({ scope }) => fold(scopeKey(scope)) === fold(`task:${agent.taskId}`));
      return gate === undefined ? real.admit(agent) : { result: 'gated', gate };
    },
  }));
}

/** Brings records back through `copy`. */
function returns(copy: (text: string) => string): Bug {
  const through = <T>(record: T): T =>
    record === undefined ? record : JSON.parse(copy(JSON.stringify(record)));
  return breaks((real) => ({
    getAgent: async (id) => through(await real.getAgent(id)),
    getOrder: async (id) => through(await real.getOrder(id)),
  }));
}

/** A restart after which these members have lost their storage. */
function loses(...members: readonly (keyof StateStore)[]): Bug {
  return (real) => {
    const empty = but(memoryState(), {});
    const lost = Object.fromEntries(members.map((member) => [member, empty[member]]));
    return { store: real, reopened: but(real, lost) };
  };
}

/** Hints are given only if `hints` says so. */
function hints(on: (change: keyof StateStore) => boolean): Bug {
  return (real) => {
    const watchers = new Set<() => void>();
    const then = <T>(change: keyof StateStore, answer: Promise<T>) =>
      answer.finally(() => {
        if (on(change)) for (const changed of watchers) changed();
      });
    const second = but(real, {
      swapAgents: (changes) => then('swapAgents', real.swapAgents(changes)),
      swapOrder: (order) => then('swapOrder', real.swapOrder(order)),
      placeOrder: (order) => then('placeOrder', real.placeOrder(order)),
    });
    const watch = (changed: () => void) => {
      watchers.add(changed);
      return () => void watchers.delete(changed);
    };
    return { store: but(real, { watch }), second };
  };
}

export const idAndClientBugs: Bugs = {
  'agents with hostile ids are told apart, and so are their tasks, workspaces and backends': [
    findsBy((id) => id.toLowerCase()),
    findsBy((id) => id.slice(0, 127)),
    findsBy((id) => id.replaceAll('_', '-')),
    findsBy((id) => (Number.isNaN(Number(id)) ? id : String(Number(id)))),
    mislists('listAgents', async (items, key, real) => [
      ...items,
      ...(key === 'task:a:b' ? (await real.listAgents('task:a', { limit: 9 })).items : []),
    ]),
    breaks((real) => ({ getTask: (id) => real.getTask(id.split(':')[0] ?? id) })),
  ],
  'a gate on a hostile id bars that one only': [
    gatesBy((key) => key.toLowerCase()),
    gatesBy((key) => key.split(':').slice(0, 2).join(':')),
    breaks((real) => ({ release: (ids) => real.release(ids.map((id) => id.toUpperCase())) })),
  ],
  'orders with hostile ids keep their agents apart': [
    breaks((real) => ({ listOrder: (id, page) => real.listOrder(id.toLowerCase(), page) })),
    breaks((real) => ({ getOrder: (id) => real.getOrder(id.slice(0, 127)) })),
  ],
  'records come back as they were given, whatever they carry': [
    returns((text) => text.replaceAll('\\u0000', '')),
    returns((text) => text.replace(/[^ -~]/g, '?')),
    returns((text) => text.replaceAll('null', '0')),
    returns((text) => text.replaceAll('[]', '{}')),
    returns((text) => text.replace(/\$1/g, '')),
    breaks((real) => ({
      listGates: async () =>
        (await real.listGates()).map((gate) => ({ ...gate, reason: gate.reason.trim().slice(0, 40) })),
    })),
  ],
  'a second client sees at once what the first has stored': [
    (real) => ({ store: real, second: memoryState() }),
    (real) => ({ store: real, second: but(real, { listGates: async () => [] }) }),
  ],
  'what was stored is there after a restart (I4, I9)': [
    (real) => ({ store: real, reopened: memoryState() }),
    loses('listGates'),
    loses('admit'),
    loses('listOpenOrders'),
    loses('listAgents'),
    loses('listOrder'),
    loses('getTask'),
    loses('swapAgents'),
  ],
  'watch calls after another client changed an order or an agent': [
    hints(() => false),
    hints((change) => change !== 'swapAgents'),
    hints((change) => change !== 'swapOrder'),
    hints((change) => change !== 'placeOrder'),
  ],
  'watch ends when told to, and leaves other watchers theirs': [
    breaks((real) => ({
      watch: (changed) => {
        real.watch(changed);
        return () => {};
      },
    })),
    breaks((real) => {
      const ends: (() => void)[] = [];
      let ended = false;
      return {
        watch: (changed) => {
          ends.push(real.watch(() => void (ended || changed())));
          return () => {
            ended = true;
            for (const end of ends) end();
          };
        },
      };
    }),
  ],
};
