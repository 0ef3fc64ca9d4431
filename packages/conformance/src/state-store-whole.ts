import {
  type Agent,
  gateOf,
  type KillRecord,
  maxReasonLength,
  type StateStore,
  type StopOrder,
} from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { inOrder, inScope } from './state-store-pages.ts';
import { admitted, agentOf, changed, claimed, epoch, expectSame, orderOf } from './state-store-records.ts';

const words = 'était là — 死んだ 𝕏 👩‍👩‍👧 "\\\n\t\u0000';

/** An agent with every field that one about to be killed can have. */
function fullAgent(): Agent {
  return agentOf('full', {
    sessionIds: ['s2', 's1'],
    parentId: 'parent',
    lineage: ['parent'],
    agentType: 'coder',
    handles: [
      { runtime: 'process', pid: 71, nested: { list: [1, 2.5, null, true], empty: {}, none: [] }, words },
      { runtime: 'docker', container: 'c', big: Number.MAX_SAFE_INTEGER },
    ],
    resources: [
      { kind: 'worktree', path: `/tmp/${words}` },
      { kind: 'container', labels: { z: '1', a: '' } },
    ],
    ledger: [
      { step: 'worktree', status: 'pending', tries: 0 },
      { step: 'another', status: 'failed', tries: 3, error: words },
    ],
    startedAt: epoch + 1,
  });
}

const kill: KillRecord = {
  orderIds: ['order', 'joined'],
  statusBefore: 'running',
  requestedAt: epoch + 3,
  signalledAt: epoch + 4,
  forcedAt: epoch + 5,
  unconfirmedAt: epoch + 6,
  evidence: words,
  errors: Array.from({ length: 20 }, (_, at) => `${at}: ${words}`),
};

function withKill(agent: Agent): Agent {
  return { ...claimed(agent), kill } as Agent;
}

function thenKilled(agent: Agent): Agent {
  const confirmed = { ...kill, confirmedAt: epoch + 7 };
  return {
    ...agent,
    revision: agent.revision + 1,
    status: 'killed',
    kill: confirmed,
    completedAt: epoch + 7,
  } as Agent;
}

function thenFailed(agent: Agent): Agent {
  return {
    ...agent,
    revision: agent.revision + 1,
    status: 'failed',
    completedAt: epoch + 2,
    error: words,
  } as Agent;
}

/** The longest reason, all of it characters of two UTF-16 units. */
const longest = '𝕏'.repeat(maxReasonLength / 2);

/** An order with every field that an open one can have. */
function fullOrder(): StopOrder {
  const principal = { id: 'owner', kind: 'service' as const };
  const order = orderOf('full', { agent: 'full' }, 'on-release');
  return { ...order, principal, workspaceId: 'w', ownerId: 'o', reason: longest, policyVersion: words };
}

export const wholeClauses: readonly StateStoreClause[] = [
  clause(
    'an agent comes back as it was stored, every field of it, by its id and in listings',
    async ({ store }) => {
      const [, agent] = (await admitted(store, agentOf('parent'), fullAgent())) as [Agent, Agent];
      await expectAgent(store, agent, 'agent:full');
      const killing = await changed(store, agent, withKill);
      await expectAgent(store, killing, 'agent:full', 'order', 'joined');
      const dead = await changed(store, killing, thenKilled);
      await expectAgent(store, dead, 'cleanup:h', 'order', 'joined');
      const [other] = (await admitted(store, { ...fullAgent(), agentId: 'other' } as Agent)) as [Agent];
      expectThat(other.parentId === 'parent', 'the other is a child too');
      const over = await changed(store, other, thenFailed);
      expectSame(await store.getAgent('other'), over, 'the failed agent');
    },
  ),

  clause(
    'an order comes back as it was stored, every field of it, and so does its gate',
    async ({ store }) => {
      const order = fullOrder();
      await store.placeOrder(order);
      expectSame(await store.getOrder('full'), order, 'the order');
      expectSame(await store.listGates(), [gateOf(order)], 'the gates');
      const refusal = await store.admit(agentOf('full'));
      expectSame(refusal, { result: 'gated', gate: gateOf(order) }, 'the refusal');
      const joining = await store.placeOrder({ ...order, orderId: 'joining' });
      expectSame(joining, { placed: false, open: order }, 'the answer to one that joins');
      const approvedBy = [order.principal, { id: 'second', kind: 'user' as const }];
      const released = {
        ...order,
        revision: 1,
        joins: 2,
        released: { releaseId: 'r', at: epoch + 1, approvedBy },
      };
      expectThat(await store.swapOrder(released), 'the release is stored');
      expectSame(await store.getOrder('full'), released, 'the released order');
      expectSame(await store.listOpenOrders(), [released], 'the open orders');
      expectSame(await store.release(['full']), [gateOf(order)], 'the released gates');
      const over = { ...released, revision: 2, settledAt: epoch + 2 };
      expectThat(await store.swapOrder(over), 'the settlement is stored');
      expectSame(await store.getOrder('full'), over, 'the settled order');
    },
  ),
];

async function expectAgent(
  store: StateStore,
  agent: Agent,
  key: 'agent:full' | 'cleanup:h',
  ...orderIds: string[]
): Promise<void> {
  expectSame(await store.getAgent(agent.agentId), agent, 'the agent');
  expectSame(await inScope(store, key), [agent], `scope ${key}`);
  for (const orderId of orderIds) expectSame(await inOrder(store, orderId), [agent], `order ${orderId}`);
}
