/** @services valkey */

import { stateStoreClauses } from '@agent-killswitch/conformance';
import { expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { StateFullError } from '../src/index.ts';
import { clientOf, ownPrefix, storeOf } from './support/clients.ts';
import { redisFactory } from './support/factory.ts';
import { PrivateServer } from './support/private-server.ts';
import { agentOf, claimedBy, orderOf } from './support/records.ts';

withService('valkey', 'VALKEY_URL', (url) => {
  it('works on whatever scripts the server forgets, also between calls that are on their way', async () => {
    const store = storeOf(url, { prefix: ownPrefix(url) });
    const flusher = clientOf(url);
    const agents = Array.from({ length: 400 }, (_, n) => agentOf(`a${n}`));
    const admissions = agents.map(async (agent, n) => {
      if (n % 7 === 0) await flusher.script('FLUSH');
      return store.admit(agent);
    });
    expect(new Set((await Promise.all(admissions)).map(({ result }) => result))).toEqual(
      new Set(['admitted']),
    );
    const flushing = Array.from({ length: 50 }, () => flusher.script('FLUSH'));
    expect(await store.swapAgents(agents.map((agent) => claimedBy(agent, 'order')))).not.toContain(false);
    await Promise.all(flushing);
    expect((await store.listOrder('order', { limit: 1_000 })).items).toHaveLength(400);
  });

  it('keeps every promise on a cluster, where a script may touch one slot only', async () => {
    const server = await PrivateServer.start('--cluster-enabled', 'yes');
    const client = clientOf(server.url);
    await client.cluster('ADDSLOTSRANGE', 0, 16_383);
    await expect.poll(() => client.cluster('INFO'), { timeout: 10_000 }).toContain('cluster_state:ok');
    for (const clause of stateStoreClauses) await clause.run(redisFactory(server.url));
  });

  it('a server that drops keys when it is full is refused at the start', async () => {
    const server = await PrivateServer.start('--maxmemory-policy', 'allkeys-lru');
    const store = storeOf(server.url);
    await expect(store.renewLease({ hostId: 'h', until: 7 })).rejects.toMatchObject({
      code: 'state-eviction',
    });
    const client = clientOf(server.url);
    await client.config('SET', 'maxmemory-policy', 'volatile-lru');
    await store.renewLease({ hostId: 'h', until: 7 });
  });

  it('at maxmemory an admission is refused by name, and everything that a stop needs works', async () => {
    const server = await PrivateServer.start('--maxmemory-policy', 'noeviction');
    const store = storeOf(server.url);
    const agents = Array.from({ length: 300 }, (_, n) => agentOf(`a${n}`));
    for (const agent of agents) await store.admit(agent);
    const client = clientOf(server.url);
    await client.config('SET', 'maxmemory', '1mb');
    await expect(store.admit(agentOf('late'))).rejects.toThrow(StateFullError);
    const order = orderOf('order', { workspace: 'w' }, 'on-release');
    expect(await store.placeOrder(order)).toEqual({ placed: true });
    const claimed = agents.map((agent) => claimedBy(agent, 'order'));
    expect(await store.swapAgents(claimed)).not.toContain(false);
    expect((await store.listAgents('workspace:w', { limit: 1_000 })).items).toHaveLength(300);
    await store.renewLease({ hostId: 'h', until: 7 });
    expect(await store.swapOrder({ ...order, revision: 1, settledAt: 9 })).toBe(true);
    expect(await store.listGates()).toHaveLength(1);
    expect(await store.getAgent('late')).toBeUndefined();
    await client.config('SET', 'maxmemory', '0');
    expect(await store.admit(agentOf('late'))).toMatchObject({ result: 'gated' });
  });
});
