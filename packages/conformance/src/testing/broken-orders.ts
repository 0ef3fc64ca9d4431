import { type Gate, gateOf, type StateStore, type StopOrder, scopeKey } from '@agent-killswitch/core';
import { admittedAnswer, type Bug, type Bugs, breaks, turn } from './broken-state-store.ts';

/** Places under another id what it should have joined: the order is there, as it would be without the join. */
const neverJoins = breaks((real) => ({
  placeOrder: async (order) => {
    await real.placeOrder(order);
    return { placed: true };
  },
}));

function joins(which: (open: StopOrder, order: StopOrder) => boolean): Bug {
  return breaks((real) => {
    const placed: StopOrder[] = [];
    return {
      placeOrder: async (order) => {
        const open = placed.find((other) => which(other, order));
        if (open !== undefined) return { placed: false, open };
        placed.push(order);
        return real.placeOrder(order);
      },
    };
  });
}

const looksBeforeItPlaces = breaks((real) => ({
  placeOrder: async (order) => {
    const open = await real.listOpenOrders();
    await turn();
    const answer = await real.placeOrder(order);
    return open.length === 0 ? { placed: true } : answer;
  },
}));

const looksBeforeItSwaps = breaks((real) => ({
  swapOrder: async (order) => {
    const stored = await real.getOrder(order.orderId);
    await turn();
    await real.swapOrder(order);
    return stored?.revision === order.revision - 1;
  },
}));

const settledOrdersStayOpen = breaks((real) => {
  const done: StopOrder[] = [];
  return {
    swapOrder: async (order) => {
      if (order.settledAt !== undefined) done.push(order);
      return real.swapOrder(order);
    },
    listOpenOrders: async () => [...done, ...(await real.listOpenOrders())],
  };
});

/** Gates that `extra` says to lift no longer bar, whatever the real store says. */
function lifts(
  member: 'swapOrder' | 'release',
  extra: (gate: Gate, order: StopOrder | undefined) => boolean,
): Bug {
  return breaks((real) => {
    const lifted = new Set<string>();
    const lift = async (order?: StopOrder) => {
      for (const gate of await real.listGates()) if (extra(gate, order)) lifted.add(gate.orderId);
    };
    return {
      ...(member === 'swapOrder'
        ? { swapOrder: (order: StopOrder) => lift(order).then(() => real.swapOrder(order)) }
        : { release: (ids: readonly string[]) => lift().then(() => real.release(ids)) }),
      listGates: async () => (await real.listGates()).filter((gate) => !lifted.has(gate.orderId)),
      admit: async (agent) => {
        const answer = await real.admit(agent);
        return answer.result === 'gated' && lifted.has(answer.gate.orderId) ? admittedAnswer : answer;
      },
    };
  });
}

const gatesStay = breaks((real) => {
  const placed: Gate[] = [];
  return {
    placeOrder: async (order) => {
      placed.push(gateOf(order));
      return real.placeOrder(order);
    },
    listGates: async () => placed,
    admit: async (agent) =>
      placed[0] === undefined ? real.admit(agent) : { result: 'gated', gate: placed[0] },
  };
});

function releases(answer: (real: StateStore, orderIds: readonly string[]) => Promise<readonly Gate[]>): Bug {
  return breaks((real) => ({ release: (orderIds) => answer(real, orderIds) }));
}

const byId = (a: { orderId: string }, b: { orderId: string }) => (a.orderId < b.orderId ? -1 : 1);

export const orderBugs: Bugs = {
  'placeOrder stores the order, which is open, and the gate it shuts': [
    breaks(() => ({ getOrder: async () => undefined })),
    breaks(() => ({ listOpenOrders: async () => [] })),
    breaks(() => ({ listGates: async () => [] })),
    breaks((real) => ({ placeOrder: async (order) => real.placeOrder({ ...order, opens: 'at-settle' }) })),
  ],
  'getOrder gives a settled order too, and undefined for one that was never placed': [
    breaks((real) => ({
      getOrder: async (id) => (await real.listOpenOrders()).find((order) => order.orderId === id),
    })),
    breaks((real) => ({ getOrder: async (id) => (await real.getOrder(id)) ?? Reflect.get({}, id) })),
  ],
  'placeOrder joins an open order with the same scope and opens, and stores nothing (I7)': [
    neverJoins,
    breaks((real) => ({
      placeOrder: async (order) => {
        const answer = await real.placeOrder(order);
        return answer.placed ? answer : { placed: false, open: order };
      },
    })),
    breaks((real) => {
      const joined = new Map<string, StopOrder>();
      return {
        placeOrder: async (order) => {
          joined.set(order.orderId, order);
          return real.placeOrder(order);
        },
        getOrder: async (id) => joined.get(id),
      };
    }),
    breaks((real) => {
      const gates: Gate[] = [];
      return {
        placeOrder: async (order) => {
          gates.push(gateOf(order));
          return real.placeOrder(order);
        },
        listGates: async () => gates,
      };
    }),
  ],
  'placeOrder joins the open order as it was last stored': [
    joins((open, order) => open.opens === order.opens && scopeKey(open.scope) === scopeKey(order.scope)),
  ],
  'placeOrder joins no order of another scope, with another opens, or settled': [
    joins((open, order) => scopeKey(open.scope) === scopeKey(order.scope)),
    joins((open, order) => open.opens === order.opens),
    joins(
      (open, order) =>
        Object.values(open.scope)[0] === Object.values(order.scope)[0] && open.opens === order.opens,
    ),
    joins((open, order) => open.orderId === 'first' && order.orderId === 'after'),
  ],
  'placeOrder joins no open order that was released': [
    joins((open, order) => open.orderId === 'released' && order.orderId === 'latched'),
  ],
  'of orders racing for one scope, one is placed and the others join it': [looksBeforeItPlaces],
  'swapOrder stores exactly the next revision of an order that is there': [
    breaks((real) => ({ swapOrder: async (order) => (await real.swapOrder(order)) || order.revision === 0 })),
    breaks((real) => ({ swapOrder: async (order) => (await real.swapOrder(order)) || order.revision === 2 })),
    breaks((real) => ({
      swapOrder: async (order) => (await real.getOrder(order.orderId)) === undefined || real.swapOrder(order),
    })),
    breaks(() => ({ swapOrder: async (order) => order.revision === 1 && order.orderId === 'order' })),
  ],
  'of changes racing from one revision of an order, one wins': [looksBeforeItSwaps],
  'an order that is placed as settled shuts its gate and is not open': [
    breaks((real) => ({ placeOrder: ({ settledAt: _, ...order }) => real.placeOrder(order) })),
    breaks((real) => ({
      placeOrder: async (order) => {
        const answer = await real.placeOrder(order);
        if (order.settledAt !== undefined) await real.release([order.orderId]);
        return answer;
      },
    })),
  ],
  'listOpenOrders lists every order without settledAt, oldest first': [
    settledOrdersStayOpen,
    breaks((real) => ({ listOpenOrders: async () => [...(await real.listOpenOrders())].sort(byId) })),
    breaks((real) => ({ listOpenOrders: async () => [...(await real.listOpenOrders())].reverse() })),
    breaks((real) => ({
      listOpenOrders: async () => (await real.listOpenOrders()).filter((order) => order.revision === 0),
    })),
  ],
  'settling an order lifts its gate if that opens at-settle': [gatesStay, settledOrdersStayOpen],
  'a gate that opens on-release or never outlives its order’s settling': [
    lifts('swapOrder', (gate, order) => gate.orderId === order?.orderId && gate.opens === 'never'),
    lifts('swapOrder', (gate, order) => gate.orderId === order?.orderId && gate.opens === 'on-release'),
    settledOrdersStayOpen,
  ],
  'a change that does not settle the order, or that loses its race, lifts no gate': [
    lifts('swapOrder', (gate, order) => order?.settledAt === undefined && gate.orderId === order?.orderId),
    lifts('swapOrder', (gate, order) => order?.revision === 2 && gate.orderId === order.orderId),
  ],
  'a scope is shut while any gate on it stands': [
    lifts(
      'swapOrder',
      (gate, order) => order !== undefined && scopeKey(order.scope) === scopeKey(gate.scope),
    ),
    lifts('release', () => true),
  ],
  'listGates lists every gate that stands, oldest first': [
    breaks((real) => ({ listGates: async () => [...(await real.listGates())].sort(byId) })),
    breaks((real) => ({ listGates: async () => [...(await real.listGates())].reverse() })),
    gatesStay,
  ],
  'listGates with a scope key lists the gates on that very scope, oldest first': [
    breaks((real) => ({ listGates: () => real.listGates() })),
    breaks((real) => ({ listGates: async (on) => [...(await real.listGates(on))].reverse() })),
    breaks((real) => ({ listGates: async (on) => (await real.listGates(on)).slice(0, 1) })),
    gatesStay,
  ],
  'release removes and returns the gates of its orders that open on-release, and no others': [
    lifts('release', (gate) => gate.opens === 'never'),
    lifts('release', (gate) => gate.opens === 'at-settle'),
    lifts('release', (gate) => scopeKey(gate.scope) === 'backend:w'),
    lifts('release', (gate) => scopeKey(gate.scope) === 'everything'),
    gatesStay,
    releases(async (real, ids) => (await real.release(ids)).slice(1)),
    releases(async (real) => real.listGates()),
    releases(async (real, ids) => {
      for (const order of await real.listOpenOrders()) {
        if (ids.includes(order.orderId) && order.opens === 'on-release') {
          await real.swapOrder({ ...order, revision: order.revision + 1, settledAt: 1 });
        }
      }
      return real.release(ids);
    }),
  ],
  'release opens the scope for admission (I9)': [
    gatesStay,
    releases(async (real) => (await real.listGates()).filter((gate) => gate.opens === 'on-release')),
  ],
  'release returns every gate that it names, in the order of their placing': [
    releases(async (real, ids) => (await real.release(ids)).slice(0, 1)),
    releases(async (real, ids) => [...(await real.release(ids))].reverse()),
  ],
  'of releases racing for one gate, one returns it (I4)': [
    releases(async (real, ids) => {
      const gates = (await real.listGates()).filter((gate) => ids.includes(gate.orderId));
      await turn();
      await real.release(ids);
      return gates;
    }),
  ],
};
