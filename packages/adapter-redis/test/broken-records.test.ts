/** @services valkey */
import type { Agent, Page } from '@agent-killswitch/core';
import type { Redis } from 'ioredis';
import { beforeEach, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import type { RedisState } from '../src/index.ts';
import { clientOf, ownPrefix, storeOf } from './support/clients.ts';
import { agentOf, claimedBy, orderOf } from './support/records.ts';

withService('valkey', 'VALKEY_URL', (url) => {
  let store: RedisState;
  let client: Redis;
  let key: (rest: string) => string;

  beforeEach(() => {
    const prefix = ownPrefix(url);
    client = clientOf(url);
    store = storeOf(url, { prefix });
    key = (rest) => `{${prefix}}:${rest}`;
  });

  /** Changes the text of what is stored at a key. */
  async function damage(at: string, change: (raw: string) => string): Promise<void> {
    const raw = await client.get(key(at));
    const damaged = change(raw ?? '');
    expect(damaged).not.toBe(raw);
    await client.set(key(at), damaged);
  }

  async function damageField(at: string, field: string, change: (raw: string) => string): Promise<void> {
    const raw = await client.hget(key(at), field);
    expect(raw).not.toBeNull();
    await client.hset(key(at), field, change(raw ?? ''));
  }

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

  const inScope = (listKey: string, limit: number) => (cursor?: string) =>
    store.listAgents(listKey, { limit, ...(cursor === undefined ? {} : { cursor }) });

  const damages: Record<string, (at: string) => Promise<unknown>> = {
    'is truncated': (at) => damage(at, (raw) => raw.slice(0, -5)),
    'is cut off in its head': (at) => damage(at, (raw) => raw.slice(0, 20)),
    'is empty': (at) => client.set(key(at), ''),
    'has a status nobody knows': (at) => damage(at, (raw) => raw.replaceAll('spawning', 'resting')),
    'is gone': (at) => client.del(key(at)),
    'is of another type': async (at) => {
      await client.del(key(at));
      await client.lpush(key(at), 'x');
    },
    'is another agent’s': async (at) => client.set(key(at), (await client.get(key('agent:a0'))) ?? ''),
  };

  for (const [what, inflict] of Object.entries(damages)) {
    it.each([1, 2, 3, 5, 6, 100])(
      `a sweep reaches every other agent and then rejects where a record ${what}, page size %i (I1)`,
      async (limit) => {
        for (let at = 0; at < 6; at += 1) await store.admit(agentOf(`a${at}`));
        for (const at of [1, 4]) await inflict(`agent:a${at}`);
        const { ids, end } = await swept(inScope('workspace:w', limit));
        expect(ids).toEqual(['a0', 'a2', 'a3', 'a5']);
        expect(end).toMatchObject({ code: 'state-record', key: key('agent:a1') });
      },
    );
  }

  it('an agent of a newer version is refused by name, never guessed nor changed', async () => {
    for (const id of ['a', 'b']) await store.admit(agentOf(id));
    await damage('agent:a', (raw) => raw.replace('"v":1', '"v":2'));
    const { ids, end } = await swept(inScope('workspace:w', 10));
    expect(ids).toEqual(['b']);
    expect(end).toMatchObject({ code: 'state-version', key: key('agent:a') });
    await expect(store.getAgent('a')).rejects.toMatchObject({ code: 'state-version' });
    expect(
      await store.swapAgents([claimedBy(agentOf('a'), 'order'), claimedBy(agentOf('b'), 'order')]),
    ).toEqual([false, true]);
    expect(await client.get(key('agent:a'))).toContain('"v":2');
  });

  it('a state of a newer version is refused', async () => {
    await client.hset(key('store'), { id: 'x', epoch: '0', seq: '0', version: '2' });
    await expect(store.admit(agentOf('a'))).rejects.toMatchObject({ code: 'state-version' });
  });

  it('a state that is of another type, or half there, is named', async () => {
    await client.set(key('store'), 'x');
    await expect(store.getAgent('a')).rejects.toMatchObject({ code: 'state-record', key: key('store') });
    await client.del(key('store'));
    await client.hset(key('store'), { id: 'x' });
    await expect(store.getAgent('a')).rejects.toMatchObject({ code: 'state-record', key: key('store') });
  });

  it('a scope whose only agent cannot be read is not empty, under its own key neither', async () => {
    await store.admit(agentOf('a'));
    for (const inflict of [damages['is truncated'], damages['is of another type']]) {
      await inflict?.('agent:a');
      for (const listKey of ['agent:a', 'task:t-a', 'everything'])
        await expect(store.listAgents(listKey, { limit: 10 }), listKey).rejects.toMatchObject({
          code: 'state-record',
        });
    }
    expect(await store.listAgents('agent:b', { limit: 10 })).toEqual({ items: [] });
  });

  it('an agent that cannot be read hides none of its descendants', async () => {
    await store.admit(agentOf('a'));
    for (const id of ['b', 'c', 'd'])
      await store.admit({ ...agentOf(id), parentId: 'a', lineage: ['a'] } as Agent);
    await damage('agent:a', (raw) => raw.slice(0, -5));
    for (const limit of [1, 2, 3, 4]) {
      const { ids, end } = await swept(inScope('agent:a', limit));
      expect(ids).toEqual(['b', 'c', 'd']);
      expect(end).toMatchObject({ code: 'state-record' });
    }
  });

  it('a listing of another type is named, before anything is half done', async () => {
    await client.set(key('list:workspace:w'), 'x');
    const named = { code: 'state-record', key: key('list:workspace:w') };
    await expect(store.admit(agentOf('a'))).rejects.toMatchObject(named);
    expect(await client.exists(key('agent:a'), key('task:t-a'))).toBe(0);
    await expect(store.listAgents('workspace:w', { limit: 1 })).rejects.toMatchObject(named);
    await store.admit(agentOf('b', 'other'));
    await client.set(key('claimed:order'), 'x');
    await expect(store.swapAgents([claimedBy(agentOf('b', 'other'), 'order')])).rejects.toMatchObject({
      code: 'state-record',
      key: key('claimed:order'),
    });
    expect(await store.getAgent('b')).toEqual(agentOf('b', 'other'));
  });

  it('one agent that cannot be stored hinders no other of its batch (I5)', async () => {
    const agents = Array.from({ length: 250 }, (_, n) => agentOf(`a${n}`));
    for (const agent of agents) await store.admit(agent);
    await damages['is of another type']?.('agent:a7');
    await client.set(key('claimed:bad'), 'x');
    const claims = agents.map((agent, n) => claimedBy(agent, n === 120 ? 'bad' : 'order'));
    await expect(store.swapAgents(claims)).rejects.toMatchObject({
      code: 'state-record',
      key: key('claimed:bad'),
    });
    expect(await client.zcard(key('claimed:order'))).toBe(248);
  });

  it('every other record that cannot be read is named', async () => {
    await store.placeOrder(orderOf('order', { workspace: 'shut' }, 'on-release'));
    await store.admit(agentOf('a'));
    await damageField('gates', 'order', (raw) => raw.slice(0, -3));
    const gate = { code: 'state-record', key: `${key('gates')} order` };
    await expect(store.admit(agentOf('b', 'shut'))).rejects.toMatchObject(gate);
    await expect(store.listGates()).rejects.toMatchObject(gate);
    await expect(store.release(['order'])).rejects.toMatchObject(gate);
    await expect(store.admit(agentOf('b', 'shut'))).rejects.toMatchObject(gate);
    expect(await store.admit(agentOf('b'))).toEqual({ result: 'admitted' });
    await damageField('orders', 'order', (raw) => raw.replace('shut', 'shut"'));
    const order = { code: 'state-record', key: `${key('orders')} order` };
    await expect(store.getOrder('order')).rejects.toMatchObject(order);
    await expect(store.listOpenOrders()).rejects.toMatchObject(order);
    await expect(
      store.placeOrder(orderOf('again', { workspace: 'shut' }, 'on-release')),
    ).rejects.toMatchObject(order);
    await damage('task:t-a', () => '{');
    await expect(store.getTask('t-a')).rejects.toMatchObject({ code: 'state-record', key: key('task:t-a') });
    await expect(store.admit({ ...agentOf('c'), taskId: 't-a' } as Agent)).rejects.toMatchObject({
      key: key('task:t-a'),
    });
    await store.renewLease({ hostId: 'h', until: 1 });
    await damageField('leases', 'h', () => 'soon');
    await expect(store.listLeases()).rejects.toMatchObject({ code: 'state-record' });
    await store.renewLease({ hostId: 'h', until: 2 });
    expect(await store.listLeases()).toEqual([{ hostId: 'h', until: 2 }]);
  });

  it('a gate that is gone while its scope is shut refuses (I10)', async () => {
    await store.placeOrder(orderOf('order', { everything: true }, 'on-release'));
    await client.hdel(key('gates'), 'order');
    await expect(store.admit(agentOf('a'))).rejects.toMatchObject({ code: 'state-record' });
  });

  it('a parent that cannot be read refuses its children', async () => {
    await store.admit(agentOf('p'));
    await damage('agent:p', (raw) => raw.slice(0, 10));
    await expect(
      store.admit({ ...agentOf('c'), parentId: 'p', lineage: ['p'] } as Agent),
    ).rejects.toMatchObject({
      code: 'state-record',
      key: key('agent:p'),
    });
  });

  it('a cursor of somebody else is refused', async () => {
    for (const cursor of ['', 'x', '-1', '1!', '9'.repeat(40)])
      await expect(store.listAgents('everything', { limit: 1, cursor })).rejects.toMatchObject({
        code: 'invalid-input',
      });
  });

  it.each(['shut', 'gates'])(
    'a gate whose entry in %s is gone bars, and further stops are taken (I1)',
    async (name) => {
      await store.placeOrder(orderOf('hold', { everything: true }, 'on-release'));
      const late = agentOf('late');
      const torn = { code: 'state-record', key: key(name) };
      await client.del(key(name));
      if (name === 'shut') await expect(store.admit(late)).rejects.toMatchObject(torn);
      expect(await store.placeOrder(orderOf('other', { task: 'x' }, 'on-release'))).toEqual({ placed: true });
      expect(await store.release(['other'])).toHaveLength(1);
      if (name === 'shut') await expect(store.admit(late)).rejects.toMatchObject(torn);
      await client.del(key('store'));
      const next = storeOf(url, { prefix: key('').slice(1, -2) });
      await expect(next.admit(late)).rejects.toMatchObject({ code: 'state-record' });
    },
  );

  it('a gate that goes is counted, so that nobody is barred afterwards', async () => {
    await store.placeOrder(orderOf('hold', { everything: true }, 'on-release'));
    await store.placeOrder(orderOf('again', { task: 'x' }, 'on-release'));
    const kill = orderOf('kill', { everything: true });
    await store.placeOrder(kill);
    await store.swapOrder({ ...kill, revision: 1, settledAt: 9 });
    await store.release(['hold', 'again']);
    expect(await store.admit(agentOf('a'))).toEqual({ result: 'admitted' });
  });
});
