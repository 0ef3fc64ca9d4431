import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, processesOf } from './support/processes.ts';
import { Site, tokens } from './support/reference-server.ts';

const crashAt = new URL('./fixtures/crash-at.ts', import.meta.url).pathname;
const reason = 'it went rogue';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

/** Asks until the answer is the expected one; the test's own time limit ends it if that never happens. */
async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('A3, I1, I9: an emergency stop holds through SIGKILL and restart; a release allows spawning and starts nothing', async () => {
  const first = await site.boot();
  const agentId = await first.spawn(tokens.mia, 'a', 'forking');
  expect(
    (await first.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason })).body,
  ).toMatchObject({ settled: true, killed: 1 });
  const refused = await first.call('POST', '/agents/spawn', tokens.mia, { taskId: 'b', agentType: 'worker' });
  expect(refused).toMatchObject({
    status: 423,
    body: { code: 'gate-closed', gate: { scope: { everything: true }, reason } },
  });
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  await first.crash();

  const second = await site.boot();
  expect(
    await second.call('POST', '/agents/spawn', tokens.mia, { taskId: 'b', agentType: 'worker' }),
  ).toMatchObject({ status: 423, body: { gate: { scope: { everything: true }, reason } } });
  const released = await second.call('POST', '/api/orchestrator/emergency-stop/release', tokens.sue, {
    reason: 'all clear',
  });
  expect(released).toMatchObject({ status: 200, body: { gates: [{ scope: { everything: true } }] } });
  expect(processesOf(agentId)).toEqual([]);
  expect((await second.call('GET', `/agents/${agentId}/status`, tokens.mia)).body.status).toBe('killed');
  const next = await second.spawn(tokens.mia, 'b', 'cooperative');
  expect(processesOf(next).length).toBeGreaterThan(0);
});

describe('the server dies by SIGKILL in the middle of a stop', () => {
  it.each(['placed', 'requested', 'claimed', 'signalled', 'confirmed', 'cleaned', 'settled'])(
    'I4: right after "%s"; the next start settles the order, all on record once',
    async (step) => {
      const first = await site.boot(crashAt, [step]);
      const agents = [];
      for (const behaviour of ['stubborn', 'forking', 'cooperative'])
        agents.push(await first.spawn(tokens.mia, 'doomed', behaviour));
      await first
        .call('POST', '/api/orchestrator/tasks/doomed/kill', tokens.mia, { reason })
        .catch(() => undefined);
      expect(await first.ended()).toEqual({ code: null, signal: 'SIGKILL' });
      const second = await site.boot();
      const [requested] = await until(
        async () => site.events().filter((event) => event.type === 'order.requested'),
        (events) => events.length > 0,
      );
      const orderId = requested!.orderId;
      const order = await until(
        () => second.call('GET', `/api/orchestrator/orders/${orderId}`, tokens.mia),
        (answer) => answer.body.settled,
      );
      expect(order.body).toMatchObject({ total: 3, killed: 3, failed: 0 });
      for (const agentId of agents) expect(processesOf(agentId)).toEqual([]);
      const types = site.events().map((event) => event.type);
      expect(types.filter((type) => type === 'agent.killed')).toHaveLength(3);
      expect(types.filter((type) => type === 'order.requested')).toHaveLength(1);
      expect(types.filter((type) => type === 'order.settled')).toHaveLength(1);
      expect(types.filter((type) => type === 'cleanup.finished')).toHaveLength(3);
      expect(
        await second.call('POST', '/agents/spawn', tokens.mia, { taskId: 'doomed', agentType: 'worker' }),
      ).toMatchObject({ status: 423 });
    },
  );
});

it('agents outlive a crash of the server, and the next one can still kill them', async () => {
  const first = await site.boot();
  const alive = await first.spawn(tokens.mia, 'a', 'forking');
  const gone = await first.spawn(tokens.mia, 'b', 'stubborn');
  await first.crash();
  const tree = processesOf(alive);
  expect(tree.length).toBeGreaterThan(0);
  for (const { pid } of processesOf(gone)) process.kill(pid, 'SIGKILL');
  await until(
    async () => processesOf(gone),
    (left) => left.length === 0,
  );

  const second = await site.boot();
  const ended = await until(
    () => second.call('GET', `/agents/${gone}/status`, tokens.mia),
    (answer) => answer.body.status !== 'running',
  );
  expect(ended.body).toMatchObject({ status: 'failed', error: expect.any(String) });
  expect((await second.call('GET', `/agents/${alive}/status`, tokens.mia)).body).toMatchObject({
    status: 'running',
    handle: { runtime: 'process', pid: expect.any(Number) },
  });
  expect((await second.call('POST', `/agents/${alive}/kill`, tokens.mia, { reason })).body).toMatchObject({
    killed: 1,
  });
  expect(tree.filter(isAlive)).toEqual([]);
});

it('I8: a caller that hangs up does not stop the kill', async () => {
  const server = await site.boot();
  const agentId = await server.spawn(tokens.mia, 'a', 'forking');
  const hangUp = new AbortController();
  const call = server.call(
    'POST',
    '/api/orchestrator/tasks/a/kill',
    tokens.mia,
    { reason },
    { signal: hangUp.signal },
  );
  call.catch(() => undefined);
  await until(
    async () => site.events().length,
    (count) => count > 0,
  );
  hangUp.abort();
  await call.catch(() => undefined);
  await until(
    async () => site.events().map((event) => event.type),
    (types) => types.includes('order.settled'),
  );
  expect(processesOf(agentId)).toEqual([]);
});

it('SIGTERM kills the agents of the server, on record, and ends it with 0', async () => {
  const server = await site.boot();
  const agentId = await server.spawn(tokens.mia, 'a', 'forking');
  expect(await server.terminate()).toBe(0);
  expect(processesOf(agentId)).toEqual([]);
  expect(site.events().filter((event) => event.type === 'agent.killed')).toMatchObject([
    {
      agentId,
      operation: 'stop-host',
      principal: { id: 'system:shutdown', kind: 'service' },
      reason: 'SIGTERM',
    },
  ]);
});

it('I1: an agent whose first process is gone but whose tree lives is not over, and is killed whole', async () => {
  const server = await site.boot();
  const agentId = await server.spawn(tokens.mia, 'a', 'forking');
  await until(
    async () => processesOf(agentId).length,
    (count) => count >= 5,
  );
  const { body } = await server.call('GET', `/agents/${agentId}/status`, tokens.mia);
  process.kill(body.handle.pid, 'SIGKILL');
  await until(
    async () =>
      isAlive(processesOf(agentId).find(({ pid }) => pid === body.handle.pid) ?? { pid: 0, startTime: '' }),
    (alive) => !alive,
  );
  expect(processesOf(agentId).length).toBeGreaterThan(0);
  const kill = await server.call('POST', '/api/orchestrator/tasks/a/kill', tokens.mia, { reason });
  expect(kill).toMatchObject({ status: 200, body: { total: 1, killed: 1 } });
  expect(processesOf(agentId)).toEqual([]);
});

it('I1: a stop on record that the state has lost is restored at the next start', async () => {
  const first = await site.boot();
  await first.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason });
  await first.crash();
  for (const suffix of ['', '-wal', '-shm'])
    rmSync(join(site.stateDir, `state.sqlite${suffix}`), { force: true });
  const second = await site.boot();
  const spawn = await second.call('POST', '/agents/spawn', tokens.mia, { taskId: 'b', agentType: 'worker' });
  expect(spawn).toMatchObject({ status: 423, body: { gate: { scope: { everything: true }, reason } } });
  await second.call('POST', '/api/orchestrator/emergency-stop/release', tokens.sue, { reason: 'all clear' });
  await second.crash();
  for (const suffix of ['', '-wal', '-shm'])
    rmSync(join(site.stateDir, `state.sqlite${suffix}`), { force: true });
  const third = await site.boot();
  await third.spawn(tokens.mia, 'b', 'cooperative');
});

it('I1, I10: a state folder that is deleted under the server is noticed: spawns are refused, a stop says that it is not stored', async () => {
  const server = await site.boot();
  const agentId = await server.spawn(tokens.mia, 'a', 'stubborn');
  rmSync(site.stateDir, { recursive: true });
  expect(
    await server.call('POST', '/agents/spawn', tokens.mia, { taskId: 'b', agentType: 'worker' }),
  ).toMatchObject({ status: 503, body: { code: 'state-unavailable' } });
  const stop = await server.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason });
  expect(stop).toMatchObject({ status: 202, body: { stored: false, killed: 1 } });
  expect(processesOf(agentId)).toEqual([]);
  expect((await server.call('GET', '/api/orchestrator/status', tokens.sue)).body).toMatchObject({
    gates: [{ scope: { everything: true } }],
  });
  expect(await server.terminate()).toBe(1);
  expect(server.output).toContain('Not saved');
});

it('a held workspace and a revoked backend are opened again by those entitled', async () => {
  const server = await site.boot();
  await server.call('POST', '/api/orchestrator/workspaces/demo/kill-all', tokens.adam, {
    reason,
    hold: true,
  });
  await server.call('DELETE', '/api/orchestrator/backends/gpu', tokens.sue, { reason });
  const spawn = (backendId: string) =>
    server.call('POST', '/agents/spawn', tokens.mia, { taskId: 't', agentType: 'worker', backendId });
  expect((await spawn('local')).status).toBe(423);
  expect(
    (await server.call('POST', '/api/orchestrator/workspaces/demo/release', tokens.mia, { reason })).status,
  ).toBe(403);
  expect(
    (await server.call('POST', '/api/orchestrator/workspaces/demo/release', tokens.adam, { reason })).body,
  ).toMatchObject({ released: true });
  await server.spawn(tokens.mia, 't', 'cooperative');
  expect((await spawn('gpu')).status).toBe(423);
  expect(
    (await server.call('POST', '/api/orchestrator/backends/gpu/reinstate', tokens.adam, { reason })).status,
  ).toBe(403);
  expect(
    (await server.call('POST', '/api/orchestrator/backends/gpu/reinstate', tokens.sue, { reason })).body,
  ).toMatchObject({ released: true });
  await server.spawn(tokens.mia, 't', 'cooperative', { backendId: 'gpu' });
});
