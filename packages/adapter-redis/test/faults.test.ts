/**
 * A server that hangs, dies, comes back empty, is full, slow, or replaced by one that has missed a stop.
 * @services valkey
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { redisState } from '../src/index.ts';
import { clientOf, storeOf } from './support/clients.ts';
import { type Host, hostOf, isAlive, root } from './support/hosts.ts';
import { PrivateServer } from './support/private-server.ts';
import { agentOf, orderOf } from './support/records.ts';
import { SlowProxy } from './support/slow-proxy.ts';

/** Agents' ids have to differ from those of every other service on the machine: their cgroups are named after them. */
const ids = ['a', 'b', 'c'].map((id) => `${id}-${randomUUID()}`);

const stop = { principal: root, reason: 'drill' };

/** Starts three stubborn agents. */
async function crew(host: Host): Promise<number[]> {
  const pids: number[] = [];
  for (const id of ids) pids.push(await host.spawn(id));
  return pids;
}

/** Stops everything and expects every agent dead and every admission refused in time. Resolves with the order's id. */
async function stopsInTime(host: Host, pids: readonly number[]): Promise<string> {
  const since = performance.now();
  const report = host.ks.emergencyStop(stop);
  await expect.poll(() => pids.filter(isAlive), { timeout: 5_000, interval: 10 }).toEqual([]);
  expect(performance.now() - since).toBeLessThan(5_000);
  const asked = performance.now();
  await expect(
    host.ks.admit({ agentId: 'late', taskId: 't', workspaceId: 'w', ownerId: 'o' }),
  ).rejects.toThrow();
  expect(performance.now() - asked).toBeLessThan(2_000);
  return (await report).orderId;
}

/** Expects the stop, once everything works again, to be stored, settled and on record, its agents killed, its gate shut. */
async function isWhole(host: Host, orderId: string): Promise<void> {
  await expect
    .poll(async () => (await host.ks.report(orderId)).settled, { timeout: 20_000, interval: 50 })
    .toBe(true);
  expect(await host.ks.report(orderId)).toMatchObject({ stored: true, total: 3, killed: 3, failed: 0 });
  for (const id of ids) expect(await host.ks.agent(id)).toMatchObject({ status: 'killed' });
  const types: string[] = [];
  for await (const { event } of host.audit.read({ orderId })) types.push(event.type);
  expect(types.filter((type) => type === 'agent.killed')).toHaveLength(3);
  for (const once of ['order.requested', 'order.settled'])
    expect(types.filter((type) => type === once)).toHaveLength(1);
  await isGated(host);
}

async function isGated(host: Host): Promise<void> {
  const late = host.ks.admit({ agentId: 'later', taskId: 't', workspaceId: 'w', ownerId: 'o' });
  await expect(late).rejects.toMatchObject({ code: 'gate-closed' });
}

withService('valkey', 'VALKEY_URL', () => {
  it('stopped by SIGSTOP: agents die in time, and all is stored when it goes on (I6, I10)', async () => {
    const server = await PrivateServer.start();
    const host = await hostOf('h', storeOf(server.url));
    const pids = await crew(host);
    server.signal('SIGSTOP');
    const orderId = await stopsInTime(host, pids);
    server.signal('SIGCONT');
    await isWhole(host, orderId);
  });

  it('killed and restarted with its state: agents die in time, and all is stored (I4, I6)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'agent-killswitch-aof-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const server = await PrivateServer.start(
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--dir',
      folder,
    );
    const host = await hostOf('h', storeOf(server.url));
    const pids = await crew(host);
    await server.kill();
    const orderId = await stopsInTime(host, pids);
    await server.boot();
    await isWhole(host, orderId);
  });

  it('killed and restarted empty: agents die in time, nothing starts, the gate is back with the host (I6, I9)', async () => {
    const server = await PrivateServer.start();
    const host = await hostOf('h', storeOf(server.url));
    const pids = await crew(host);
    await server.kill();
    await stopsInTime(host, pids);
    await server.boot();
    const late = { agentId: 'late', taskId: 't', workspaceId: 'w', ownerId: 'o' };
    await expect(host.ks.admit(late)).rejects.toThrow();
    await host.ks.close().catch(() => undefined);
    await isGated(await hostOf('h', storeOf(server.url), host.audit));
  });

  it('restarted empty after the stop has settled: it is refused, and the gate is back with the host (I9)', async () => {
    const server = await PrivateServer.start();
    const host = await hostOf('h', storeOf(server.url));
    await crew(host);
    expect(await host.ks.emergencyStop(stop)).toMatchObject({ settled: true, killed: 3 });
    await server.kill();
    await server.boot();
    const late = { agentId: 'late', taskId: 't', workspaceId: 'w', ownerId: 'o' };
    await expect(host.ks.admit(late)).rejects.toThrow();
    await host.ks.close().catch(() => undefined);
    await isGated(await hostOf('h', storeOf(server.url), host.audit));
  });

  it('full: an admission is refused, a stop is stored and settled', async () => {
    const server = await PrivateServer.start('--maxmemory-policy', 'noeviction');
    const host = await hostOf('h', storeOf(server.url));
    const pids = await crew(host);
    const client = clientOf(server.url);
    await client.config('SET', 'maxmemory', '1mb');
    const late = { agentId: 'late', taskId: 't', workspaceId: 'w', ownerId: 'o' };
    await expect(host.ks.admit(late)).rejects.toMatchObject({ code: 'state-unavailable' });
    const orderId = await stopsInTime(host, pids);
    await client.config('SET', 'maxmemory', '0');
    await isWhole(host, orderId);
  });

  it('200 ms late with every reply: agents die in time, and all is stored', async () => {
    const server = await PrivateServer.start();
    const proxy = await SlowProxy.to(server.port);
    const host = await hostOf('h', storeOf(proxy.url));
    const pids = await crew(host);
    proxy.delayMs = 200;
    const orderId = await stopsInTime(host, pids);
    await isWhole(host, orderId);
  });

  it('failed over to a replica that has missed the gate: nothing is admitted, the gate is back with the host (I9)', async () => {
    const primary = await PrivateServer.start();
    const replication = await SlowProxy.to(primary.port);
    const replica = await PrivateServer.start('--replicaof', `127.0.0.1 ${new URL(replication.url).port}`);
    const proxy = await SlowProxy.to(primary.port);
    const host = await hostOf('h', storeOf(proxy.url));
    await crew(host);
    const follower = clientOf(replica.url);
    await expect
      .poll(() => follower.exists(`{orchestrator}:agent:${ids.at(-1)}`), { timeout: 10_000 })
      .toBe(1);
    // Nobody listens there: from now on the replica hears nothing.
    replication.leadTo(1);
    expect(await host.ks.emergencyStop(stop)).toMatchObject({ settled: true, killed: 3 });
    await primary.kill();
    await follower.replicaof('NO', 'ONE');
    expect(await follower.hlen('{orchestrator}:gates')).toBe(0);
    proxy.leadTo(replica.port);
    await expect
      .poll(
        () =>
          redisState(clientOf(proxy.url))
            .listGates()
            .catch(() => undefined),
        { timeout: 5_000 },
      )
      .not.toBe(undefined);
    const late = { agentId: 'late', taskId: 't', workspaceId: 'w', ownerId: 'o' };
    await expect(host.ks.admit(late)).rejects.toThrow();
    await host.ks.close().catch(() => undefined);
    await isGated(await hostOf('h', storeOf(proxy.url), host.audit));
  });

  it('hanging: what waits for an answer stays bounded (I12)', async () => {
    const server = await PrivateServer.start();
    const store = storeOf(server.url, { maxPendingBytes: 2 ** 20 });
    await store.placeOrder(orderOf('order', { task: 't' }));
    server.signal('SIGSTOP');
    const answers: Promise<unknown>[] = [];
    for (let n = 0; n < 20_000; n += 1)
      answers.push(store.admit(agentOf(`a${n}`)).catch((error) => error.code));
    const first = await Promise.race([answers.at(-1), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    expect(first).toBe('state-busy');
    server.signal('SIGCONT');
    const admitted = (await Promise.all(answers)).filter((answer) => answer !== 'state-busy');
    expect(admitted.length).toBeGreaterThan(100);
    expect(admitted.length).toBeLessThan(3_000);
    expect(await store.admit(agentOf('after'))).toEqual({ result: 'admitted' });
  });
});
