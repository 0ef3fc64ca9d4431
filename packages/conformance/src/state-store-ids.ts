import { type Agent, idSchema, scopeKey } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { expectIds, inOrder, inScope } from './state-store-pages.ts';
import {
  admitted,
  agentOf,
  changed,
  claimed,
  epoch,
  expectSame,
  killed,
  orderOf,
  running,
} from './state-store-records.ts';

const long = 'x'.repeat(127);

/** Ids that a store which joins, folds, trims, splits or coerces them would take for one another. */
const hostile = [
  ...['a', 'a:b', 'b', 'a:b:c', ':', '::', 'task:a', 'agent:task:a', 'everything', 'agent:everything'],
  ...[
    'A',
    'B',
    '1',
    '01',
    '1e0',
    '0x1',
    '-1',
    '+1',
    'null',
    'undefined',
    'true',
    'NaN',
    'toString',
    'hasOwnProperty',
  ],
  ...['|', 'a|b', '@', '~', '=', '+', '-', '--', '_', 'a_b', 'a-b', 'a.b', 'a~b', 'a=b', 'a+b', 'a@b'],
  ...[`${long}1`, `${long}2`, `${':'.repeat(127)}1`],
].map((id) => idSchema.parse(id));

export const idClauses: readonly StateStoreClause[] = [
  clause(
    'agents with hostile ids are told apart, and so are their tasks, workspaces and backends',
    async ({ store }) => {
      const agents = hostile.map((id) =>
        agentOf(id, { taskId: id, workspaceId: id, backendId: id, ownerId: id }),
      );
      await admitted(store, ...agents);
      for (const agent of agents) {
        const id = agent.agentId;
        expectSame(await store.getAgent(id), agent, `agent "${id}"`);
        expectSame(await store.getTask(id), { taskId: id, workspaceId: id, ownerId: id }, `task "${id}"`);
        for (const scope of [{ agent: id }, { task: id }, { workspace: id }, { backend: id }]) {
          expectIds(await inScope(store, scopeKey(scope)), [id], `scope ${scopeKey(scope)}`);
        }
      }
      expectIds(await inScope(store, 'everything', 10), hostile, 'everything');
    },
  ),

  clause('a gate on a hostile id bars that one only', async ({ store }) => {
    for (const id of hostile) await store.placeOrder(orderOf(id, { task: id }, 'on-release'));
    for (const [at, id] of hostile.entries()) {
      await admitted(store, agentOf(id, { taskId: `free-${at}`, workspaceId: id, backendId: id }));
      const answer = await store.admit(agentOf(`barred-${at}`, { taskId: id }));
      expectThat(
        answer.result === 'gated' && answer.gate.orderId === id,
        `the gate on task "${id}" bars its agent`,
      );
    }
    for (const id of hostile) {
      const released = await store.release([id]);
      expectThat(
        released.length === 1 && released[0]?.orderId === id,
        `the gate on task "${id}" is released alone`,
      );
    }
  }),

  clause('orders with hostile ids keep their agents apart', async ({ store }) => {
    for (const [at, id] of hostile.entries()) {
      await store.placeOrder(orderOf(id, { agent: id }));
      const [agent] = (await admitted(store, agentOf(`a${at}`))) as [Agent];
      await changed(store, agent, (record) => claimed(record, id));
    }
    for (const [at, id] of hostile.entries()) {
      expectIds(await inOrder(store, id), [`a${at}`], `order "${id}"`);
      expectThat((await store.getOrder(id))?.orderId === id, `order "${id}" is found`);
    }
  }),

  clause('records come back as they were given, whatever they carry', async ({ store }) => {
    const words = 'quotes \' " ` back\\slash \u0000 \u2028 \n\t %s $1 {{x}} Ünïcödé 漢字 🛑 </script>';
    const full = agentOf('full', {
      sessionIds: Array.from({ length: 100 }, (_, at) => `session-${at}`),
      lineage: Array.from({ length: 64 }, (_, at) => `${'l'.repeat(120)}${at}`),
      agentType: 'worker',
      resources: [
        { kind: 'worktree', path: `/tmp/${words}`, deep: { list: [1, [2, [3]]], nothing: null, no: false } },
      ],
      ledger: [{ step: 'worktree', status: 'failed', tries: 3, error: words }],
      spawnedAt: Number.MAX_SAFE_INTEGER,
    });
    const [agent] = (await admitted(store, full)) as [Agent];
    const started = await changed(store, agent, running, (record) => ({
      ...record,
      revision: record.revision + 1,
      handles: [
        { runtime: 'docker', containerId: words, ratio: 0.1, big: 2 ** 53 - 1, none: null, list: [] },
      ],
    }));
    expectSame(await store.getAgent('full'), started, 'the running agent');
    const dead = await changed(store, started, claimed, killed);
    expectSame(await store.getAgent('full'), dead, 'the killed agent');
    const order = { ...orderOf('order', { task: 't' }, 'on-release'), reason: words, requestedAt: epoch + 0 };
    await store.placeOrder(order);
    expectSame(await store.getOrder('order'), order, 'the order');
    expectThat((await store.listGates())[0]?.reason === words, 'the reason of the gate is unchanged');
  }),
];
