import type { StateStore } from '@agent-killswitch/core';
import { ConformanceError, expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { expectIds, inOrder, inScope } from './state-store-pages.ts';
import { admitted, agentOf, changed, claimed, epoch, expectSame, orderOf } from './state-store-records.ts';

/** What the core asks of a store, one of each kind. */
const calls: Readonly<Record<string, (store: StateStore) => Promise<unknown>>> = {
  admit: (store) => store.admit(agentOf('late')),
  getAgent: (store) => store.getAgent('a'),
  swapAgents: (store) => store.swapAgents([claimed(agentOf('a'))]),
  listAgents: (store) => store.listAgents('everything', { limit: 10 }),
  placeOrder: (store) => store.placeOrder(orderOf('other', { task: 'x' })),
  listOpenOrders: (store) => store.listOpenOrders(),
  listGates: (store) => store.listGates(),
  release: (store) => store.release(['hold']),
  renewLease: (store) => store.renewLease({ hostId: 'h', until: epoch }),
};

export const rejoinClauses: readonly StateStoreClause[] = [
  clause(
    'a store that can be rejoined takes agents back over what is older, with their tasks and on their lists',
    async ({ store }) => {
      if (store.rejoin === undefined) return;
      const [older = agentOf('older'), newer = agentOf('newer')] = await admitted(
        store,
        ...[agentOf('older'), agentOf('newer')],
      );
      const claim = await changed(store, newer, claimed);
      const [ahead, gone] = [claimed(older), claimed(agentOf('gone'))];
      await store.rejoin((found) => found.putBackAgents([ahead, newer, gone]));
      for (const agent of [ahead, claim, gone])
        expectSame(await store.getAgent(agent.agentId), agent, `agent "${agent.agentId}"`);
      expectThat((await store.getTask('task-of-gone'))?.ownerId === 'o', 'its task comes back with an agent');
      const ids = ['gone', 'newer', 'older'];
      expectIds(await inScope(store, 'workspace:w'), ids, 'the workspace');
      expectIds(await inOrder(store, 'order'), ids, 'the order');
    },
  ),

  clause('a store that can be rejoined passes on why nothing could be put back', async ({ store }) => {
    if (store.rejoin === undefined) return;
    const fault = new Error('nothing to put back');
    const answer = await store.rejoin(() => Promise.reject(fault)).catch((error: unknown) => error);
    expectThat(answer === fault, 'rejoin rejects with what putBack rejected with');
  }),

  clause(
    'a store that has lost its state answers nothing before putBack is through, and what that stored is there (I1, I9)',
    async ({ store, second, lose }) => {
      const { rejoin } = store;
      if (rejoin === undefined) return;
      expectThat(lose !== undefined, 'the factory of a store that can be rejoined has "lose"');
      const hold = orderOf('hold', { workspace: 'w' }, 'on-release');
      await admitted(store, agentOf('a'));
      await store.placeOrder(hold);
      await second.listOpenOrders();
      await lose();
      await expectLost(store, 'before it is rejoined');
      const failed = await rejoin
        .call(store, () => Promise.reject(new Error('not yet')))
        .then(
          () => false,
          () => true,
        );
      expectThat(failed, 'rejoin rejects if putBack does');
      await expectLost(store, 'after nothing could be put back');
      await rejoin.call(store, async (found) => {
        await found.placeOrder(hold);
        expectSame(await found.listOpenOrders(), [hold], 'the orders that putBack finds');
        await expectLost(store, 'while things are put back');
      });
      await expectBarred(store);
      if (second === store) return;
      await expectLost(second, 'for another client that knew the lost state');
      await second.rejoin?.(async () => {});
      await expectBarred(second);
    },
  ),
];

async function expectBarred(store: StateStore): Promise<void> {
  const { result } = await store.admit(agentOf('late'));
  expectThat(result === 'gated', `the gate that was put back bars, it does not answer ${result}`);
}

async function expectLost(store: StateStore, when: string): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    const answer = await call(store).then(
      () => 'an answer',
      (error: unknown) => (error as { readonly code?: unknown } | null)?.code,
    );
    if (answer !== 'state-lost')
      throw new ConformanceError(`${when}, ${name} rejects as "state-lost", not with ${String(answer)}`);
  }
}
