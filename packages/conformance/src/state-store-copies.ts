import type { StateStore } from '@agent-killswitch/core';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { inOrder, inScope } from './state-store-pages.ts';
import { admitted, agentOf, changed, claimed, epoch, expectSame, orderOf } from './state-store-records.ts';

type Read = (store: StateStore) => Promise<unknown>;

/** Every way to read a record. */
const reads: Readonly<Record<string, Read>> = {
  getAgent: (store) => store.getAgent('a'),
  getTask: (store) => store.getTask('task-of-a'),
  listAgents: (store) => inScope(store, 'everything'),
  listOrder: (store) => inOrder(store, 'order'),
  getOrder: (store) => store.getOrder('held'),
  listOpenOrders: (store) => store.listOpenOrders(),
  listGates: (store) => store.listGates(),
  listLeases: (store) => store.listLeases(),
  approve: (store) => store.approve(approvalOf()),
};

const approvalOf = () => ({
  orderIds: ['held'],
  principal: { id: 'ada', kind: 'user' as const },
  reason: 'fixed',
  at: epoch,
});

export const copyClauses: readonly StateStoreClause[] = [
  clause('what a call has returned can be changed without changing what is stored', async ({ store }) => {
    await fill(store);
    for (const [name, read] of Object.entries(reads)) {
      const before = structuredClone(await read(store));
      vandalise(await read(store));
      expectSame(await read(store), before, `what ${name} answers after its answer was changed`);
    }
  }),

  clause(
    'what was handed over can be changed afterwards without changing what is stored',
    async ({ store }) => {
      const given = await fill(store);
      const before = new Map<string, unknown>();
      for (const [name, read] of Object.entries(reads)) before.set(name, structuredClone(await read(store)));
      for (const record of given) vandalise(record);
      for (const [name, read] of Object.entries(reads))
        expectSame(
          await read(store),
          before.get(name),
          `what ${name} answers after what was given was changed`,
        );
    },
  ),
];

/** One record of every kind; returns those that were handed over. */
async function fill(store: StateStore): Promise<unknown[]> {
  const more = { handles: [{ runtime: 'process', pid: { of: [71] } }], sessionIds: ['s'] };
  const [agent] = await admitted(store, agentOf('a', more));
  if (agent === undefined) return [];
  const claim = await changed(store, agent, claimed);
  const order = orderOf('held', { workspace: 'elsewhere' }, 'on-release');
  await store.placeOrder(order);
  const lease = { hostId: 'h', until: epoch };
  await store.renewLease(lease);
  const approval = approvalOf();
  await store.approve(approval);
  return [agent, claim, order, lease, approval];
}

/** Changes everything in it that lets itself be changed, at any depth. */
function vandalise(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    vandalise(part);
    if (typeof part !== 'object') Reflect.set(value, name, 'vandalised');
  }
  if (Array.isArray(value) && Object.isExtensible(value)) value.push('vandalised');
}
