import { memoryState } from '@agent-killswitch/core/memory';
import { describe, expect, it } from 'vitest';
import { ConformanceError } from './clause.ts';
import { stateStoreClauses } from './state-store.ts';
import { admissionBugs } from './testing/broken-admission.ts';
import { agentBugs } from './testing/broken-agents.ts';
import { copyBugs } from './testing/broken-copies.ts';
import { depthAndSizeBugs } from './testing/broken-depth-and-size.ts';
import { gateChangeBugs } from './testing/broken-gate-changes.ts';
import { hostBugs } from './testing/broken-hosts.ts';
import { idAndClientBugs } from './testing/broken-ids-and-clients.ts';
import { orderBugs } from './testing/broken-orders.ts';
import { recordBugs } from './testing/broken-records.ts';
import { rejoinable, rejoinBugs } from './testing/broken-rejoin.ts';
import { factoryOf } from './testing/broken-state-store.ts';

const bugs = {
  ...admissionBugs,
  ...agentBugs,
  ...depthAndSizeBugs,
  ...copyBugs,
  ...recordBugs,
  ...orderBugs,
  ...gateChangeBugs,
  ...idAndClientBugs,
  ...hostBugs,
  ...rejoinBugs,
};

describe('memoryState keeps every promise but that of a restart', () => {
  for (const clause of stateStoreClauses.filter(({ needs }) => needs !== 'reopen')) {
    it(clause.name, async () => {
      const store = memoryState();
      await clause.run({ open: async () => store, openSecond: async () => store, dispose: async () => {} });
    });
  }
});

describe('every clause finds the bugs it is for', () => {
  it('has bugs for each clause', () => {
    expect(Object.keys(bugs).sort()).toEqual(stateStoreClauses.map((clause) => clause.name).sort());
  });

  for (const clause of stateStoreClauses) {
    it.concurrent(clause.name, async () => {
      for (const bug of bugs[clause.name] ?? []) {
        await expect(clause.run(factoryOf(bug)), String(bug)).rejects.toThrow(ConformanceError);
      }
      await clause.run(factoryOf((real) => ({ store: real })));
    });
  }

  for (const clause of stateStoreClauses.filter(({ name }) => name in rejoinBugs)) {
    it(`${clause.name}, which a store that can be rejoined keeps`, () =>
      clause.run(factoryOf(() => rejoinable())));
  }

  it('refuses to run without what a clause needs', async () => {
    for (const clause of stateStoreClauses.filter(({ needs }) => needs !== undefined)) {
      const running = clause.run({ open: async () => memoryState(), dispose: async () => {} });
      await expect(running).rejects.toThrow(`the factory has "${clause.needs}"`);
    }
  });
});
