import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Agent, Page } from '@agent-killswitch/core';
import { beforeEach, expect, it } from 'vitest';
import type { SqliteState } from '../src/index.ts';
import { agentOf, claimedBy, orderOf } from './records.ts';
import { opened, temporaryFolder } from './support.ts';

let store: SqliteState;
let damage: (sql: string, ...values: SQLInputValue[]) => void;

beforeEach(() => {
  const file = join(temporaryFolder(), 'state.db');
  store = opened(file);
  damage = (sql, ...values) => {
    const database = new DatabaseSync(file);
    expect(database.prepare(sql).run(...values).changes).toBe(1);
    database.close();
  };
});

/** The ids of every page, and what ended the listing. */
async function swept(
  list: (cursor?: string) => Promise<Page<Agent>>,
): Promise<{ ids: string[]; end: unknown }> {
  const ids: string[] = [];
  let cursor: string | undefined;
  try {
    do {
      const page = await list(cursor);
      ids.push(...page.items.map((agent) => agent.agentId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return { ids, end: undefined };
  } catch (end) {
    return { ids, end };
  }
}

const inScope = (key: string, limit: number) => (cursor?: string) =>
  store.listAgents(key, { limit, ...(cursor === undefined ? {} : { cursor }) });

it.each([1, 2, 3, 5, 6, 100])(
  'a sweep reaches every other agent and then rejects, page size %i',
  async (limit) => {
    for (let at = 0; at < 6; at += 1) await store.admit(agentOf(`a${at}`));
    damage(`UPDATE agents SET record = '{' WHERE agent_id = 'a1'`);
    damage(`UPDATE agents SET record = json_set(record, '$.status', 'resting') WHERE agent_id = 'a4'`);
    const { ids, end } = await swept(inScope('workspace:w', limit));
    expect(ids).toEqual(['a0', 'a2', 'a3', 'a5']);
    expect(end).toMatchObject({ code: 'state-record', table: 'agents', id: 'a1' });
  },
);

it('a scope whose only agent cannot be read is not empty', async () => {
  await store.admit(agentOf('a'));
  damage(`UPDATE agents SET record = 'null' WHERE agent_id = 'a'`);
  await expect(store.listAgents('agent:a', { limit: 10 })).rejects.toMatchObject({
    code: 'state-record',
    id: 'a',
  });
  expect(await store.listAgents('agent:b', { limit: 10 })).toEqual({ items: [] });
});

it('an order lists every other agent and then rejects', async () => {
  const agents = ['a', 'b', 'c'].map((id) => agentOf(id));
  for (const agent of agents) await store.admit(agent);
  await store.swapAgents(agents.map((agent) => claimedBy(agent, 'order')));
  damage(`UPDATE agents SET record = json_remove(record, '$.kill') WHERE agent_id = 'b'`);
  const { ids, end } = await swept((cursor) =>
    store.listOrder('order', { limit: 2, ...(cursor === undefined ? {} : { cursor }) }),
  );
  expect(ids).toEqual(['a', 'c']);
  expect(end).toMatchObject({ code: 'state-record', id: 'b' });
});

it('a broken agent is named when asked for, can be overtaken, and reads again then', async () => {
  await store.admit(agentOf('a'));
  damage(`UPDATE agents SET record = json_set(record, '$.agentId', 'b') WHERE agent_id = 'a'`);
  await expect(store.getAgent('a')).rejects.toThrow('"a" in table agents');
  expect(await store.admit(agentOf('a'))).toEqual({ result: 'exists' });
  const claimed = claimedBy(agentOf('a'), 'order');
  expect(await store.swapAgents([claimed])).toEqual([true]);
  expect(await store.getAgent('a')).toEqual(claimed);
});

it('a gate that cannot be read refuses admission to its scope and no other (I10)', async () => {
  await store.placeOrder(orderOf('order', { workspace: 'w' }, 'on-release'));
  damage(`UPDATE gates SET record = '{}' WHERE order_id = 'order'`);
  await expect(store.admit(agentOf('a'))).rejects.toMatchObject({ code: 'state-record', table: 'gates' });
  expect(await store.getAgent('a')).toBeUndefined();
  expect(await store.admit(agentOf('b', 'another'))).toEqual({ result: 'admitted' });
  await expect(store.listGates()).rejects.toMatchObject({ id: 'order' });
  await expect(store.release(['order'])).rejects.toMatchObject({ id: 'order' });
  await expect(store.admit(agentOf('a'))).rejects.toMatchObject({ table: 'gates' });
});

it('a broken order and a broken task are named', async () => {
  await store.placeOrder(orderOf('order', { workspace: 'w2' }));
  await store.admit(agentOf('a'));
  damage(`UPDATE orders SET record = '[]' WHERE order_id = 'order'`);
  damage(`UPDATE tasks SET record = '[]' WHERE task_id = 't-a'`);
  const order = { code: 'state-record', table: 'orders', id: 'order' };
  await expect(store.getOrder('order')).rejects.toMatchObject(order);
  await expect(store.listOpenOrders()).rejects.toMatchObject(order);
  await expect(store.placeOrder(orderOf('again', { workspace: 'w2' }))).rejects.toMatchObject(order);
  await expect(store.getTask('t-a')).rejects.toMatchObject({
    code: 'state-record',
    table: 'tasks',
    id: 't-a',
  });
});

it('an order id is never used for two orders', async () => {
  await store.placeOrder(orderOf('order', { workspace: 'w' }));
  await expect(store.placeOrder(orderOf('order', { workspace: 'x' }))).rejects.toMatchObject({
    code: 'invalid-input',
  });
  expect(await store.getOrder('order')).toEqual(orderOf('order', { workspace: 'w' }));
});

it('a cursor of somebody else is refused', async () => {
  for (const cursor of ['', 'x', '-1', '1!', '9'.repeat(40)]) {
    await expect(store.listAgents('everything', { limit: 1, cursor })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  }
});
