import type { StateStore } from '@agent-killswitch/core';
import { type Bug, type Bugs, breaks } from './broken-state-store.ts';

/** The first answer of a call is kept, and handed out again and again. */
function handsOutItsOwn(member: 'getAgent' | 'getTask' | 'listAgents' | 'listOpenOrders' | 'listGates'): Bug {
  return breaks((real) => {
    const kept = new Map<string, unknown>();
    return {
      [member]: async (...args: unknown[]) => {
        const key = JSON.stringify(args);
        if (!kept.has(key)) {
          const call = real[member] as (...args: unknown[]) => Promise<unknown>;
          kept.set(key, structuredClone(await call.apply(real, args)));
        }
        return kept.get(key);
      },
    };
  });
}

/** What is handed over is kept as it is, and a copy is handed out. */
function keepsWhatItIsGiven(
  taking: 'placeOrder' | 'renewLease' | 'approve' | 'swapAgents',
  giving: 'getOrder' | 'listLeases' | 'approve' | 'getAgent',
  show: (given: unknown) => unknown,
): Bug {
  return breaks((real) => {
    let given: unknown;
    const own: Partial<Record<keyof StateStore, unknown>> = {
      [taking]: (record: unknown) => {
        given ??= record;
        return (real[taking] as (record: unknown) => unknown)(structuredClone(record));
      },
    };
    const read = real[giving] as (...args: unknown[]) => Promise<unknown>;
    const write = own[taking] as (record: unknown) => Promise<unknown>;
    own[giving] = async (...args: unknown[]) => {
      await (taking === giving ? write(args[0]) : read.apply(real, args));
      return structuredClone(show(given));
    };
    return own as Partial<StateStore>;
  });
}

export const copyBugs: Bugs = {
  'what a call has returned can be changed without changing what is stored': [
    handsOutItsOwn('getAgent'),
    handsOutItsOwn('getTask'),
    handsOutItsOwn('listAgents'),
    handsOutItsOwn('listOpenOrders'),
    handsOutItsOwn('listGates'),
  ],
  'what was handed over can be changed afterwards without changing what is stored': [
    keepsWhatItIsGiven('placeOrder', 'getOrder', (order) => order),
    keepsWhatItIsGiven('renewLease', 'listLeases', (lease) => [lease]),
    keepsWhatItIsGiven('swapAgents', 'getAgent', (agents) => (agents as unknown[])[0]),
  ],
};
