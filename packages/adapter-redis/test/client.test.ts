/** @services valkey */
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { redisState } from '../src/index.ts';
import { clientOf, ownPrefix, storeOf } from './support/clients.ts';
import { PrivateServer } from './support/private-server.ts';
import { agentOf } from './support/records.ts';

describe('a client or an option that cannot work is refused at once', () => {
  const client = new Redis({ lazyConnect: true });

  it.each(['a{b', 'a}b', '{a}', '{', ''])('prefix "%s"', (prefix) => {
    expect(() => redisState(client, { prefix })).toThrow(
      expect.objectContaining({ code: 'invalid-configuration' }),
    );
  });

  it('a keyPrefix of the client', () => {
    const prefixed = new Redis({ lazyConnect: true, keyPrefix: 'x:' });
    expect(() => redisState(prefixed)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  });

  it('no client of ioredis', () => {
    expect(() => redisState({} as Redis)).toThrow(expect.objectContaining({ code: 'state-client' }));
    expect(() => redisState(undefined as unknown as Redis)).toThrow(
      expect.objectContaining({ code: 'state-client' }),
    );
  });
});

withService('valkey', 'VALKEY_URL', (url) => {
  it.each([2, 3] as const)(
    'a client in subscriber mode is refused by name, at once and later, RESP%i',
    async (protocol) => {
      const client = clientOf(url, { protocol });
      const store = storeOf(url, { prefix: ownPrefix(url) }, client);
      await store.renewLease({ hostId: 'h', until: 1 });
      await client.subscribe('x');
      if (protocol === 2) {
        expect(() => redisState(client)).toThrow(expect.objectContaining({ code: 'state-client' }));
        await expect(store.admit(agentOf('a'))).rejects.toMatchObject({ code: 'state-client' });
        await client.unsubscribe('x');
      }
      expect(await store.admit(agentOf('a'))).toEqual({ result: 'admitted' });
    },
  );

  it('a closed store answers nothing, and leaves the client open', async () => {
    const client = clientOf(url);
    const store = storeOf(url, { prefix: ownPrefix(url) }, client);
    const end = store.watch(() => {});
    store.close();
    store.close();
    end();
    await expect(store.getAgent('a')).rejects.toMatchObject({ code: 'state-closed' });
    expect(await client.ping()).toBe('PONG');
  });

  it('tells every change on the channel, in a message a batch', async () => {
    const prefix = ownPrefix(url);
    const store = storeOf(url, { prefix });
    const listener = clientOf(url);
    const messages: unknown[] = [];
    listener.on('message', (_, message) => messages.push(JSON.parse(message)));
    await listener.subscribe(`${prefix}:events`);
    const agents = Array.from({ length: 30 }, (_, n) => agentOf(`a${n}`));
    for (const agent of agents) await store.admit(agent);
    await store.swapAgents(agents.map((agent) => ({ ...agent, revision: 1, status: 'running' as const })));
    await expect.poll(() => messages.length).toBe(31);
    expect(messages[3]).toMatchObject({ admitted: 'a3' });
    expect(messages[30]).toMatchObject({ agents: { a0: 'running', a29: 'running' } });
  });

  it('a channel that may no longer be heard when the connection is back costs hints, not the process (I6)', async () => {
    const server = await PrivateServer.start();
    const admin = clientOf(server.url);
    let hints = 0;
    storeOf(server.url).watch(() => {
      hints += 1;
    });
    // The hint at the beginning.
    await expect.poll(() => hints).toBe(1);
    await admin.call('ACL', 'SETUSER', 'default', 'resetchannels');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const refused = async () =>
      /cmdstat_subscribe:.*rejected_calls=(\d+)/.exec(await admin.info('commandstats'))?.[1];
    await expect.poll(refused).toBe('1');
    await admin.call('ACL', 'SETUSER', 'default', 'allchannels');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => hints).toBe(2);
  });
});
