import type { StateStore } from '@agent-killswitch/core';
import type { Specification } from './linearizable.ts';
import { agentOf, claimedBy, orderOf } from './records.ts';

/** One scope with a gate, and agents in it: everything that races in a stop. */
export interface State {
  readonly open: string | null;
  /** Revision by agent id. */
  readonly agents: Readonly<Record<string, number>>;
}

export type Call =
  | { readonly do: 'admit' | 'read'; readonly agent: string }
  | { readonly do: 'claim'; readonly agent: string; readonly from: number; readonly by: string }
  | { readonly do: 'place' | 'settle'; readonly order: string };

export type Answer = string | number | boolean | null;

export const start: State = { open: null, agents: {} };

export const specification: Specification<State, Call, Answer> = (state, call) => {
  switch (call.do) {
    case 'admit': {
      if (state.open !== null) return [state, 'gated'];
      if (call.agent in state.agents) return [state, 'exists'];
      return [{ ...state, agents: { ...state.agents, [call.agent]: 0 } }, 'admitted'];
    }
    case 'read':
      return [state, state.agents[call.agent] ?? null];
    case 'claim': {
      if (state.agents[call.agent] !== call.from) return [state, false];
      return [{ ...state, agents: { ...state.agents, [call.agent]: call.from + 1 } }, true];
    }
    case 'place': {
      // Which order is open afterwards: the own one, also when its placing was asked for twice.
      const open = state.open ?? call.order;
      return [{ ...state, open }, open];
    }
    case 'settle': {
      if (state.open !== call.order) return [state, false];
      return [{ ...state, open: null }, true];
    }
  }
};

export async function perform(store: StateStore, call: Call): Promise<Answer> {
  switch (call.do) {
    case 'admit':
      return (await store.admit(agentOf(call.agent))).result;
    case 'read':
      return (await store.getAgent(call.agent))?.revision ?? null;
    case 'claim': {
      const from = { ...agentOf(call.agent), revision: call.from };
      const [won] = await store.swapAgents([claimedBy(from, call.by)]);
      return won === true;
    }
    case 'place': {
      const placement = await store.placeOrder(orderOf(call.order, { workspace: 'w' }));
      return placement.placed ? call.order : placement.open.orderId;
    }
    case 'settle': {
      const order = orderOf(call.order, { workspace: 'w' });
      return store.swapOrder({ ...order, revision: 1, settledAt: 9 });
    }
  }
}
