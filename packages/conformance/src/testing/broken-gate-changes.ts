import type { GateChange, GateChanges } from '@agent-killswitch/core';
import { type Bug, type Bugs, breaks } from './broken-state-store.ts';

/** What is told is something else than should be. */
function mistells(tell: (change: GateChange) => readonly GateChange[], skip = 0): Bug {
  return breaks((real) => ({
    gateChanges: async (after): Promise<GateChanges> => {
      const { changes, place } = (await real.gateChanges?.(after)) ?? { changes: [], place: '' };
      return { changes: changes.slice(skip).flatMap(tell), place };
    },
  }));
}

const tellsFromTheBeginning = breaks((real) => ({
  gateChanges: async (after) => (await real.gateChanges?.(after ?? '0')) ?? { changes: [], place: '' },
}));

const staysWhereItWas = breaks((real) => ({
  gateChanges: async (after) => {
    const told = (await real.gateChanges?.(after)) ?? { changes: [], place: '' };
    return { ...told, place: after ?? told.place };
  },
}));

const tellsAllAtOnce = breaks((real) => ({
  gateChanges: async (after) => {
    const changes: GateChange[] = [];
    let told = (await real.gateChanges?.(after)) ?? { changes: [], place: '' };
    for (let more = told; more.changes.length > 0; told = more) {
      changes.push(...more.changes);
      more = (await real.gateChanges?.(more.place)) ?? { changes: [], place: '' };
    }
    return { changes, place: told.place };
  },
}));

export const gateChangeBugs: Bugs = {
  'a store that tells changes of gates tells every one that outlasts its order, and whether it stands': [
    mistells((change) => [{ ...change, stands: true }]),
    mistells((change) => [{ ...change, stands: false }]),
    mistells((change) => (change.order.opens === 'never' ? [] : [change])),
    mistells((change) => (change.stands ? [change] : [])),
    tellsFromTheBeginning,
    staysWhereItWas,
  ],
  'changes of gates come in parts, none of them lost': [mistells((change) => [change], 1), tellsAllAtOnce],
};
