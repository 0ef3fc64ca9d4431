/**
 * Gates that the server has lost, and leases that it does not renew.
 * @services valkey
 */
import { randomUUID } from 'node:crypto';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { clientOf, ownPrefix, storeOf } from './support/clients.ts';
import { hostOf, isAlive, root } from './support/hosts.ts';
import { PrivateServer } from './support/private-server.ts';
import { agentOf, orderOf } from './support/records.ts';

const stop = { principal: root, reason: 'drill' };
const late = { agentId: 'late', taskId: 't', workspaceId: 'w', ownerId: 'o' };

withService('valkey', 'VALKEY_URL', (url) => {
  it('a server that comes back empty reopens nothing: a host that only saw the stop puts it back (I1, I9)', async () => {
    const server = await PrivateServer.start();
    const asked = await hostOf('asked', storeOf(server.url));
    const audit = memoryAudit();
    const other = await hostOf('other', storeOf(server.url), audit);
    await asked.ks.emergencyStop(stop);
    const copies = () => audit.events().filter(({ type }) => type === 'order.requested');
    await expect.poll(copies, { timeout: 10_000 }).toHaveLength(1);
    await asked.ks.close();
    await other.ks.close();
    await server.kill();
    await server.boot();
    const next = await hostOf('other', storeOf(server.url), audit);
    await expect(next.ks.admit(late)).rejects.toMatchObject({ code: 'gate-closed' });
    const newcomer = await hostOf('newcomer', storeOf(server.url));
    await expect(newcomer.ks.admit(late)).rejects.toMatchObject({ code: 'gate-closed' });
  });

  it('a server that lacks a gate that was seen there is refused, however far it has come since (I1)', async () => {
    const prefix = ownPrefix(url);
    const client = clientOf(url);
    const key = (name: string) => `{${prefix}}:${name}`;
    const store = storeOf(url, { prefix });
    await store.placeOrder(orderOf('first', { task: 't' }, 'never'));
    await store.placeOrder(orderOf('seen', { everything: true }, 'on-release'));
    const { place } = await store.gateChanges();
    // What a replica has that missed the second stop.
    for (const name of ['gates', 'orders', 'joinable', 'shut']) await client.hdel(key(name), 'seen');
    await client.hdel(key('shut'), 'everything');
    await client.hdel(key('joinable'), 'on-release everything');
    await client.zrem(key('open'), 'seen');
    await client.zrem(key('changes'), 'seen');
    for (const name of ['epoch', 'gates', 'shut']) await client.hincrby(key('store'), name, -1);
    // Somebody who knows of nothing brings it to where it was, and further.
    const newcomer = storeOf(url, { prefix });
    for (const id of ['x', 'y', 'z']) await newcomer.placeOrder(orderOf(id, { task: id }, 'never'));
    expect(await store.admit(agentOf('a'))).toEqual({ result: 'admitted' });
    await expect(store.gateChanges(place)).rejects.toMatchObject({ code: 'state-lost' });
    await expect(store.admit(agentOf('b'))).rejects.toMatchObject({ code: 'state-lost' });
    await expect(newcomer.gateChanges('nonsense')).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('a server that hangs for longer than a lease costs a host its agents, unless it keeps them; on record when it goes on (I4, I6)', async () => {
    const server = await PrivateServer.start();
    const audit = memoryAudit();
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    const deadlines = { lease: 2_000 };
    const strict = await hostOf('strict', storeOf(server.url), audit, { deadlines });
    const lenient = await hostOf('lenient', storeOf(server.url), memoryAudit(), {
      deadlines,
      onLeaseLost: 'keep',
    });
    const [dies, lives] = [await strict.spawn(a), await lenient.spawn(b)];
    server.signal('SIGSTOP');
    await expect.poll(() => isAlive(dies), { timeout: 15_000, interval: 20 }).toBe(false);
    expect(isAlive(lives)).toBe(true);
    server.signal('SIGCONT');
    const types = () => audit.events().map(({ type }) => type);
    await expect.poll(types, { timeout: 15_000 }).toContain('order.settled');
    expect(audit.events().find(({ type }) => type === 'order.requested')).toMatchObject({
      principal: { id: 'system:lease' },
      scope: { host: 'strict' },
    });
    expect(await strict.ks.agent(a)).toMatchObject({ status: 'killed' });
    expect(await lenient.ks.agent(b)).toMatchObject({ status: 'running' });
    await strict.spawn(c);
  });
});
