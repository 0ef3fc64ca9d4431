import type { Agent, StateStore } from '@agent-killswitch/core';
import { ConformanceError, expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { inOrder, inScope } from './state-store-pages.ts';
import {
  admitted,
  agentOf,
  changed,
  claimed,
  completed,
  expectSame,
  killed,
  orderOf,
  running,
  settled,
} from './state-store-records.ts';
import { within } from './within.ts';

export const clientClauses: readonly StateStoreClause[] = [
  clause(
    'a second client sees at once what the first has stored',
    async ({ store, second }) => {
      await fill(store);
      expectSame(await everything(second), await everything(store), 'what the second client sees');
    },
    'openSecond',
  ),

  clause(
    'what was stored is there after a restart (I4, I9)',
    async ({ store, reopen }) => {
      await fill(store);
      const before = await everything(store);
      const again = await reopen();
      expectSame(await everything(again), before, 'what is there after the restart');
      const used = await again.admit(agentOf('completed', { workspaceId: 'free' }));
      expectThat(
        used.result === 'exists',
        `an id used before the restart is refused as exists, not ${used.result}`,
      );
      const barred = await again.admit(agentOf('barred'));
      expectThat(barred.result === 'gated', `a gate shut before the restart bars, not ${barred.result}`);
      const agent = await again.getAgent('running');
      if (agent !== undefined) await changed(again, agent, claimed);
    },
    'reopen',
  ),

  clause(
    'watch calls after another client changed an order or an agent',
    async ({ store, second, hintWithinMs }) => {
      const hints = watching(store, hintWithinMs);
      try {
        const last = await hints.begin(second);
        await hints.after('changed an agent', () => changed(second, last, claimed));
        const order = orderOf('order', { task: 't' });
        await hints.after('placed an order', () => second.placeOrder(order));
        await hints.after('settled an order', () => second.swapOrder(settled(order)));
      } finally {
        hints.end();
      }
    },
    'openSecond',
  ),

  clause(
    'watch ends when told to, and leaves other watchers theirs',
    async ({ store, second, hintWithinMs }) => {
      let calls = 0;
      const end = store.watch(() => {
        calls += 1;
      });
      end();
      end();
      const hints = watching(store, hintWithinMs);
      try {
        const last = await hints.begin(second);
        await hints.after('changed an agent', () => changed(second, last, claimed));
      } finally {
        hints.end();
      }
      expectThat(calls === 0, `an ended watch is not called, not ${calls} times`);
    },
    'openSecond',
  ),
];

/** Agents in every status, orders open and settled, gates of every kind. */
async function fill(store: StateStore): Promise<void> {
  const second = (record: Agent) => claimed(record, 'second');
  const steps = {
    ...{ spawning: [], running: [running], completed: [running, completed] },
    ...{ killing: [running, claimed, second], killed: [claimed, killed] },
  };
  for (const [id, changes] of Object.entries(steps)) {
    const [agent] = (await admitted(store, agentOf(id, { taskId: 't' }))) as [Agent];
    await changed(store, agent, ...changes);
  }
  const orders = [
    orderOf('order', { workspace: 'w' }, 'on-release'),
    orderOf('second', { task: 't' }, 'never'),
  ];
  for (const order of [...orders, orderOf('third', { backend: 'x' })]) await store.placeOrder(order);
  await store.swapOrder(settled(orderOf('second', { task: 't' }, 'never')));
}

async function everything(store: StateStore): Promise<unknown> {
  const ids = ['spawning', 'running', 'completed', 'killing', 'killed'];
  return {
    agents: await Promise.all(ids.map(async (id) => (await store.getAgent(id)) ?? null)),
    task: (await store.getTask('t')) ?? null,
    live: await inScope(store, 'task:t'),
    claimed: [await inOrder(store, 'order'), await inOrder(store, 'second')],
    orders: await Promise.all(
      ['order', 'second', 'third'].map(async (id) => (await store.getOrder(id)) ?? null),
    ),
    open: await store.listOpenOrders(),
    gates: await store.listGates(),
  };
}

/** A watch whose calls can be waited for, each at most `ms` milliseconds. */
function watching(store: StateStore, ms: number) {
  let called = () => {};
  const end = store.watch(() => called());
  const after = async (what: string, change: () => Promise<unknown>, patience = ms): Promise<void> => {
    const hinted = new Promise<void>((resolve) => {
      called = resolve;
    });
    await change();
    await within(patience, hinted, `watch calls after another client ${what}`);
  };

  /** A client may subscribe while it goes on, so the first change is repeated until one is noticed. */
  async function begin(other: StateStore): Promise<Agent> {
    const patience = Math.ceil(ms / 20);
    let agent = agentOf('watched');
    await admitted(other, agent);
    for (let left = 20; ; left -= 1) {
      try {
        await after(
          'changed an agent',
          async () => {
            agent = await changed(other, agent, running);
          },
          patience,
        );
        return agent;
      } catch (error) {
        if (left === 0 || !(error instanceof ConformanceError)) throw error;
      }
    }
  }

  return { end, after, begin };
}
