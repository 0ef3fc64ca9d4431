import type { Admission, Agent, Page, PageRequest, StateStore } from '@agent-killswitch/core';
import { memoryState } from '@agent-killswitch/core/memory';
import type { StateStoreFactory } from '../state-store-clause.ts';
import { everyItem } from '../state-store-pages.ts';

/** A working store with one thing wrong; `second` and `reopened` are the store itself unless given. */
export interface Broken {
  readonly store: StateStore;
  readonly second?: StateStore;
  readonly reopened?: StateStore;
  readonly lose?: () => Promise<void>;
}
export type Bug = (real: StateStore) => Broken;

/** Per clause, by its name, the bugs that it has to find. */
export type Bugs = Readonly<Record<string, readonly Bug[]>>;

export const admittedAnswer: Admission = { result: 'admitted' };

/** The store, but with these members of its own. */
export function but(real: StateStore, own: Partial<StateStore>): StateStore {
  return {
    admit: (agent) => real.admit(agent),
    getAgent: (agentId) => real.getAgent(agentId),
    getTask: (taskId) => real.getTask(taskId),
    swapAgents: (agents) => real.swapAgents(agents),
    listAgents: (key, page) => real.listAgents(key, page),
    listOrder: (orderId, page) => real.listOrder(orderId, page),
    placeOrder: (order) => real.placeOrder(order),
    getOrder: (orderId) => real.getOrder(orderId),
    swapOrder: (order) => real.swapOrder(order),
    listOpenOrders: () => real.listOpenOrders(),
    listGates: (on) => real.listGates(on),
    ...(real.gateChanges && { gateChanges: real.gateChanges.bind(real) }),
    approve: (approval) => real.approve(approval),
    release: (orderIds) => real.release(orderIds),
    renewLease: (lease) => real.renewLease(lease),
    listLeases: () => real.listLeases(),
    watch: (changed) => real.watch(changed),
    ...own,
  };
}

export function breaks(own: (real: StateStore) => Partial<StateStore>): Bug {
  return (real) => ({ store: but(real, own(real)) });
}

/** The store answers an admission with something else than the real one did. */
export function misadmits(
  answer: (real: Admission, agent: Agent, store: StateStore) => Admission | Promise<Admission>,
): Bug {
  return breaks((real) => ({ admit: async (agent) => answer(await real.admit(agent), agent, real) }));
}

/** Listings show something else than they should. */
export function mislists(
  member: 'listAgents' | 'listOrder',
  show: (
    items: readonly Agent[],
    key: string,
    store: StateStore,
  ) => readonly Agent[] | Promise<readonly Agent[]>,
): Bug {
  return breaks((real) => ({
    [member]: async (key: string, page: PageRequest): Promise<Page<Agent>> => {
      const answer = await real[member](key, page);
      return { ...answer, items: await show(answer.items, key, real) };
    },
  }));
}

/** Listings are paged by position, which shifts when members go. */
export function pagesByOffset(member: 'listAgents' | 'listOrder', step = (limit: number) => limit): Bug {
  return breaks((real) => ({
    [member]: async (key: string, page: PageRequest): Promise<Page<Agent>> => {
      const all = await everyItem((request) => real[member](key, request), 10_000);
      const start = Number(page.cursor ?? 0);
      const items = all.slice(start, start + page.limit);
      const next = start + step(page.limit);
      return next < all.length ? { items, cursor: String(next) } : { items };
    },
  }));
}

/** Until everything that is under way in memory has been done. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

export function factoryOf(bug: Bug): StateStoreFactory {
  let broken: Broken = { store: memoryState() };
  const factory: StateStoreFactory = {
    open: async () => {
      broken = bug(memoryState());
      if (broken.lose !== undefined) factory.lose = broken.lose;
      return broken.store;
    },
    openSecond: async () => broken.second ?? broken.store,
    reopen: async () => broken.reopened ?? broken.store,
    hintWithinMs: 40,
    dispose: async () => {},
  };
  return factory;
}
