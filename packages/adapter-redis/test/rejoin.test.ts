/**
 * A server that loses its state while hosts run: they bring it back, without a restart.
 * @services valkey
 */
import { randomUUID } from 'node:crypto';
import type { Killswitch } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { clientOf, ownPrefix, storeOf } from './support/clients.ts';
import { hostOf, isAlive, root } from './support/hosts.ts';
import { PrivateServer } from './support/private-server.ts';
import { agentOf, claimedBy } from './support/records.ts';
import { SlowProxy } from './support/slow-proxy.ts';

const stop = { principal: root, reason: 'drill' };
const patience = { timeout: 15_000, interval: 20 };

/** What becomes of an agent that asks to start in a task. */
async function admission(ks: Killswitch, taskId: string, workspaceId = 'w'): Promise<unknown> {
  const agent = { agentId: randomUUID(), taskId, workspaceId, ownerId: 'o' };
  return ks.admit(agent).then(
    () => 'admitted',
    (error) => error.code,
  );
}

/** Expects that nobody is let in until it is known that the gate is shut. */
async function holds(ks: Killswitch, taskId: string): Promise<void> {
  const answers = new Set<unknown>();
  const ask = async () => {
    const answer = await admission(ks, taskId);
    answers.add(answer);
    return answer;
  };
  await expect.poll(ask, patience).toBe('gate-closed');
  expect(answers).not.toContain('admitted');
}

/** A server with a replica, reached through a proxy: `cut` ends the replication after an agent, `failOver` the server. */
async function replicated() {
  const primary = await PrivateServer.start('--repl-diskless-sync-delay', '0');
  const replication = await SlowProxy.to(primary.port);
  const replica = await PrivateServer.start('--replicaof', `127.0.0.1 ${new URL(replication.url).port}`);
  const proxy = await SlowProxy.to(primary.port);
  const follower = clientOf(replica.url);
  const cut = async (agentId: string) => {
    await expect.poll(() => follower.exists(`{orchestrator}:agent:${agentId}`), patience).toBe(1);
    replication.leadTo(1);
  };
  const failOver = async () => {
    await primary.kill();
    await follower.replicaof('NO', 'ONE');
    proxy.leadTo(replica.port);
  };
  return { url: proxy.url, cut, failOver };
}

withService('valkey', 'VALKEY_URL', (url) => {
  it('restarted empty while hosts run: gates and agents are back without a restart, and stops reach them (I1, I9)', async () => {
    const server = await PrivateServer.start();
    const [one, two] = [await hostOf('one', storeOf(server.url)), await hostOf('two', storeOf(server.url))];
    const [a, b] = [await one.spawn(`a-${randomUUID()}`), await two.spawn(`b-${randomUUID()}`)];
    await one.ks.admit({ agentId: 'x', taskId: 'stopped', workspaceId: 'w', ownerId: 'o' });
    await one.ks.failed('x', 'never started');
    await one.ks.kill({ task: 'stopped' }, stop);
    await server.kill();
    await server.boot();
    await Promise.all([holds(one.ks, 'stopped'), holds(two.ks, 'stopped')]);
    await expect.poll(() => admission(two.ks, 'other', 'another'), patience).toBe('admitted');
    expect([a, b].filter(isAlive)).toHaveLength(2);
    const report = await one.ks.kill({ task: 't' }, stop);
    expect(report).toMatchObject({ stored: true, settled: true, total: 2, killed: 2 });
    expect([a, b].filter(isAlive)).toEqual([]);
  });

  it('a stop of the time without a server is stored, settled and kept when that comes back empty (I4, I6, I9)', async () => {
    const server = await PrivateServer.start();
    const [one, two] = [await hostOf('one', storeOf(server.url)), await hostOf('two', storeOf(server.url))];
    const ids = [`a-${randomUUID()}`, `b-${randomUUID()}`] as const;
    const [a, b] = [await one.spawn(ids[0]), await two.spawn(ids[1])];
    await server.kill();
    const asked = one.ks.emergencyStop(stop);
    await expect.poll(() => isAlive(a), patience).toBe(false);
    await server.boot();
    await expect.poll(() => isAlive(b), patience).toBe(false);
    const { orderId } = await asked;
    await expect
      .poll(() => one.ks.report(orderId), patience)
      .toMatchObject({ stored: true, settled: true, total: 2, killed: 2 });
    for (const id of ids) expect(await two.ks.agent(id)).toMatchObject({ status: 'killed' });
    for (const { ks } of [one, two]) await holds(ks, 't');
    const types: string[] = [];
    for await (const { event } of one.audit.read({ orderId })) types.push(event.type);
    for (const once of ['order.requested', 'order.settled'])
      expect(types.filter((type) => type === once)).toHaveLength(1);
  });

  it('a stop waits for the hosts that have not noticed yet what the server has lost (I1)', async () => {
    const server = await PrivateServer.start();
    const proxy = await SlowProxy.to(server.port);
    // In this order: one host knows of the other from the start.
    const two = await hostOf('two', storeOf(proxy.url));
    const one = await hostOf('one', storeOf(server.url));
    const b = await two.spawn(`b-${randomUUID()}`);
    // Nobody listens there.
    proxy.leadTo(1);
    await server.kill();
    await server.boot();
    await expect.poll(() => admission(one.ks, 'other', 'another'), patience).toBe('admitted');
    const early = await one.ks.kill({ workspace: 'w' }, { ...stop, waitMs: 1_000 });
    expect(early.settled).toBe(false);
    expect(early.errors.join()).toContain('Host "two" has not been heard of');
    expect(isAlive(b)).toBe(true);
    proxy.leadTo(server.port);
    await expect
      .poll(() => one.ks.report(early.orderId), patience)
      .toMatchObject({ settled: true, failed: 0 });
    expect(isAlive(b)).toBe(false);
  });

  it('an older copy of the state is brought up to date while the host runs (I1, I9)', async () => {
    const { failOver, cut, url: way } = await replicated();
    const host = await hostOf('h', storeOf(way));
    const ended = { agentId: `ended-${randomUUID()}`, taskId: 't', workspaceId: 'w', ownerId: 'o' };
    await host.ks.admit(ended);
    await cut(ended.agentId);
    await host.ks.failed(ended.agentId, 'never started');
    const pid = await host.spawn(`late-${randomUUID()}`);
    await host.ks.admit({ agentId: 'x', taskId: 'stopped', workspaceId: 'w', ownerId: 'o' });
    await host.ks.failed('x', 'never started');
    await host.ks.kill({ task: 'stopped' }, stop);
    await failOver();
    await holds(host.ks, 'stopped');
    expect(await host.ks.kill({ task: 't' }, stop)).toMatchObject({ settled: true, total: 1, killed: 1 });
    expect(isAlive(pid)).toBe(false);
    expect(await host.ks.agent(ended.agentId)).toMatchObject({ status: 'failed' });
  });

  it('an older copy that lacks admissions only is noticed, and a stop names whom it has not heard of (I1, I4)', async () => {
    const { failOver, cut, url: way } = await replicated();
    const [one, two] = [await hostOf('one', storeOf(way)), await hostOf('two', storeOf(way))];
    const known = await two.spawn(`known-${randomUUID()}`);
    await one.spawn('last-seen');
    await cut('last-seen');
    const missed = await two.spawn(`missed-${randomUUID()}`);
    // From here on one knows that the state has come so far.
    await one.ks.admit({ agentId: 'x', taskId: 'other', workspaceId: 'w', ownerId: 'o' });
    await one.ks.failed('x', 'never started');
    await failOver();
    const { orderId } = await one.ks.kill({ workspace: 'w' }, stop);
    await expect
      .poll(() => one.ks.report(orderId), patience)
      .toMatchObject({ settled: true, total: 3, killed: 3 });
    expect([known, missed].filter(isAlive)).toEqual([]);
  });

  it('an agent that is put back under a stop that has settled without it dies all the same, on record (I1, I4)', async () => {
    const server = await PrivateServer.start();
    const proxy = await SlowProxy.to(server.port);
    const two = await hostOf('two', storeOf(proxy.url));
    const [id, free] = [`b-${randomUUID()}`, `c-${randomUUID()}`];
    const pid = await two.spawn(id);
    const other = await two.spawn(free, { taskId: 'other', workspaceId: 'another' });
    proxy.leadTo(1);
    await server.kill();
    await server.boot();
    // It knows of nobody: it starts on what is there.
    const one = await hostOf('one', storeOf(server.url));
    await one.ks.admit({ agentId: 'x', taskId: 't', workspaceId: 'w', ownerId: 'o' });
    await one.ks.failed('x', 'never started');
    const settled = await one.ks.kill({ workspace: 'w' }, { ...stop, hold: true });
    expect(settled).toMatchObject({ settled: true, total: 0 });
    proxy.leadTo(server.port);
    await expect.poll(() => isAlive(pid), patience).toBe(false);
    await expect.poll(() => one.ks.agent(id), patience).toMatchObject({ status: 'killed' });
    expect(isAlive(other)).toBe(true);
    const asked: unknown[] = [];
    for await (const { event } of two.audit.read({ types: ['order.requested'] })) asked.push(event);
    expect(asked).toContainEqual(
      expect.objectContaining({
        principal: { id: 'system:rejoin', kind: 'service' },
        scope: { workspace: 'w' },
      }),
    );
  });

  it('puts an agent back over what is older, and over nothing else', async () => {
    const prefix = ownPrefix(url);
    const store = storeOf(url, { prefix });
    const [older, newer] = [agentOf('older'), claimedBy(agentOf('newer'), 'order')];
    await store.admit(older);
    await store.admit(agentOf('newer'));
    await store.swapAgents([newer]);
    const claimed = claimedBy(older, 'order');
    await store.rejoin((found) => found.putBackAgents([claimed, agentOf('newer'), agentOf('gone')]));
    expect(await store.getAgent('older')).toEqual(claimed);
    expect(await store.getAgent('newer')).toEqual(newer);
    expect(await store.getAgent('gone')).toEqual(agentOf('gone'));
    expect(await store.getTask('t-gone')).toMatchObject({ workspaceId: 'w' });
    const { items } = await store.listAgents('workspace:w', { limit: 10 });
    expect(items.map(({ agentId }) => agentId)).toEqual(['older', 'newer', 'gone']);
    expect((await store.listOrder('order', { limit: 10 })).items).toHaveLength(2);
  });
});
