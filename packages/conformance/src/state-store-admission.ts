import type { Admission, Agent, StateStore, StopOrder } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { expectIds, inScope } from './state-store-pages.ts';
import {
  admitted,
  agentOf,
  changed,
  childOf,
  claimed,
  completed,
  expectSame,
  failed,
  killed,
  orderOf,
  running,
} from './state-store-records.ts';

export const admissionClauses: readonly StateStoreClause[] = [
  clause('admit stores the agent and, if new, its task', async ({ store }) => {
    const [agent] = await admitted(store, agentOf('a', { taskId: 't' }), agentOf('b', { taskId: 't' }));
    expectSame(await store.getAgent('a'), agent, 'the stored agent');
    expectSame(await store.getTask('t'), { taskId: 't', workspaceId: 'w', ownerId: 'o' }, 'the stored task');
  }),

  clause('getAgent and getTask answer undefined for what was never admitted', async ({ store }) => {
    await admitted(store, agentOf('a', { taskId: 't' }));
    for (const id of ['t', 'A', 'toString', 'valueOf']) {
      expectThat((await store.getAgent(id)) === undefined, `there is no agent "${id}"`);
    }
    for (const id of ['a', 'T', 'toString', 'valueOf']) {
      expectThat((await store.getTask(id)) === undefined, `there is no task "${id}"`);
    }
  }),

  clause(
    'admit refuses under a gate on any of the agent’s scope keys, and names it (I1)',
    async ({ store }) => {
      const root = agentOf('root');
      const [parent, aunt] = await admitted(store, root, childOf(root, 'p'), childOf(root, 'q')).then((all) =>
        all.slice(1),
      );
      await expectBarred(store, orderOf('1', { backend: 'b1' }), agentOf('a1', { backendId: 'b1' }));
      await expectBarred(store, orderOf('2', { workspace: 'w1' }), agentOf('a2', { workspaceId: 'w1' }));
      await expectBarred(store, orderOf('3', { task: 't1' }, 'never'), agentOf('a3', { taskId: 't1' }));
      await expectBarred(store, orderOf('4', { agent: 'a4' }), agentOf('a4'));
      await expectBarred(store, orderOf('5', { agent: 'p' }, 'on-release'), childOf(parent as Agent, 'a5'));
      await expectBarred(store, orderOf('6', { agent: 'root' }), childOf(aunt as Agent, 'a6'));
      await expectBarred(store, orderOf('7', { everything: true }, 'on-release'), agentOf('a7'));
    },
  ),

  clause('admit does not refuse for a gate on a scope that the agent is not in', async ({ store }) => {
    const scopes = [{ backend: 'b1' }, { workspace: 'w1' }, { task: 't1' }, { agent: 'a1' }];
    for (const [at, scope] of scopes.entries()) await store.placeOrder(orderOf(`order-${at}`, scope));
    await admitted(store, agentOf('free'));
  }),

  clause('a refused agent leaves nothing behind', async ({ store }) => {
    await store.placeOrder(orderOf('order', { workspace: 'shut' }));
    await expectRefused(store, agentOf('a', { workspaceId: 'shut', taskId: 't' }), 'gated');
    await expectRefused(
      store,
      agentOf('b', { parentId: 'nobody', lineage: ['nobody'], taskId: 't' }),
      'parent-unknown',
    );
    for (const id of ['a', 'b'])
      expectThat((await store.getAgent(id)) === undefined, `agent "${id}" is not stored`);
    expectThat((await store.getTask('t')) === undefined, 'the task of a refused agent is not stored');
    expectIds(await inScope(store, 'everything'), [], 'the listing');
    await admitted(store, agentOf('a', { taskId: 't' }));
  }),

  clause(
    'an id that was ever used is refused as exists, and its record is untouched (I2)',
    async ({ store }) => {
      const ways = [[], [running], [claimed], [claimed, killed], [completed], [running, failed]];
      for (const [at, steps] of ways.entries()) {
        const [agent] = (await admitted(store, agentOf(`a${at}`))) as [Agent];
        const stored = await changed(store, agent, ...steps);
        await expectRefused(store, agentOf(agent.agentId, { hostId: 'another' }), 'exists');
        expectSame(await store.getAgent(agent.agentId), stored, `the ${stored.status} agent`);
      }
    },
  ),

  clause('an unknown parent is refused as parent-unknown', async ({ store }) => {
    await admitted(store, agentOf('a', { taskId: 'parent' }));
    await expectRefused(store, childOf(agentOf('parent'), 'child'), 'parent-unknown');
  }),

  clause('a killing or killed parent is refused as parent-killed', async ({ store }) => {
    const [one, two] = (await admitted(store, agentOf('one'), agentOf('two'))) as [Agent, Agent];
    await changed(store, one, claimed);
    await expectRefused(store, childOf(one, 'c1'), 'parent-killed');
    await changed(store, two, running, claimed, killed);
    await expectRefused(store, childOf(two, 'c2'), 'parent-killed');
  }),

  clause(
    'a killing or killed ancestor is refused as parent-killed, also behind a parent that has ended (I2)',
    async ({ store }) => {
      for (const steps of [[claimed], [running, claimed, killed]]) {
        const id = `ancestor-${steps.length}`;
        const [ancestor] = (await admitted(store, agentOf(id))) as [Agent];
        const line = [ancestor];
        for (let depth = 1; depth <= 64; depth += 1)
          line.push(childOf(line.at(-1) as Agent, `${id}-${depth}`));
        await admitted(store, ...line.slice(1, -1));
        for (const each of line.slice(1, -1)) await changed(store, each, completed);
        await changed(store, ancestor, ...steps);
        await expectRefused(store, line.at(-1) as Agent, 'parent-killed');
        await expectRefused(store, childOf(line[1] as Agent, `${id}-near`), 'parent-killed');
      }
    },
  ),

  clause('a parent that was not killed is accepted, also one that ended', async ({ store }) => {
    for (const [at, change] of [undefined, running, completed, failed].entries()) {
      const parent = agentOf(`p${at}`);
      await admitted(store, parent);
      if (change !== undefined) await changed(store, parent, change);
      await admitted(store, childOf(parent, `c${at}`));
    }
  }),

  clause('a task of another workspace or owner is refused as task-conflict, for good', async ({ store }) => {
    const [first] = (await admitted(store, agentOf('a', { taskId: 't' }))) as [Agent];
    await expectRefused(store, agentOf('b', { taskId: 't', workspaceId: 'w2' }), 'task-conflict');
    await expectRefused(store, agentOf('c', { taskId: 't', ownerId: 'o2' }), 'task-conflict');
    await changed(store, first, completed);
    await expectRefused(store, agentOf('d', { taskId: 't', ownerId: 'o2' }), 'task-conflict');
    await admitted(store, agentOf('e', { taskId: 't' }));
  }),

  clause('refusals are checked in the order gated, exists, parent, task-conflict', async ({ store }) => {
    const [, parent] = (await admitted(store, agentOf('a', { taskId: 't' }), agentOf('p'))) as [Agent, Agent];
    await changed(store, parent, claimed);
    const foreign = { taskId: 't', ownerId: 'o2' };
    const orphan = { parentId: 'nobody', lineage: ['nobody'] };
    await expectRefused(store, agentOf('b', { ...foreign, parentId: 'p', lineage: ['p'] }), 'parent-killed');
    await expectRefused(store, agentOf('b', { ...foreign, ...orphan }), 'parent-unknown');
    await expectRefused(store, agentOf('a', { ...foreign, ...orphan }), 'exists');
    await store.placeOrder(orderOf('order', { backend: 'b' }));
    await expectRefused(store, agentOf('a', { ...foreign, ...orphan }), 'gated');
  }),
];

async function expectRefused(store: StateStore, agent: Agent, result: Admission['result']): Promise<void> {
  const answer = await store.admit(agent);
  expectThat(
    answer.result === result,
    `agent "${agent.agentId}" is refused as ${result}, not ${answer.result}`,
  );
}

async function expectBarred(store: StateStore, order: StopOrder, agent: Agent): Promise<void> {
  await store.placeOrder(order);
  const answer = await store.admit(agent);
  const scope = Object.keys(order.scope).join();
  expectThat(
    answer.result === 'gated',
    `a gate on its ${scope} bars "${agent.agentId}", not ${answer.result}`,
  );
  expectThat(answer.gate.orderId === order.orderId, `the gate of order ${order.orderId} is named`);
}
