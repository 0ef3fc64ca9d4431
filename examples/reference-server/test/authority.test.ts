import { afterAll, beforeAll, expect, it } from 'vitest';
import { processesOf } from './support/processes.ts';
import { type Life, Site, tokens } from './support/reference-server.ts';

const reason = 'I want it gone';

let site: Site;
let server: Life;
beforeAll(async () => {
  site = new Site();
  server = await site.boot();
});
afterAll(() => site.dispose());

it("A1: a member's attempt on another's task is refused and recorded, and changes nothing", async () => {
  const agentId = await server.spawn(tokens.mia, 'hers', 'stubborn');
  const answer = await server.call('POST', '/api/orchestrator/tasks/hers/kill', tokens.nia, { reason });
  expect(answer).toMatchObject({ status: 403, body: { status: 403, code: 'forbidden' } });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect((await server.call('POST', `/agents/${agentId}/kill`, tokens.nia, { reason })).status).toBe(403);
  expect(processesOf(agentId).length).toBeGreaterThan(0);
  const denials = site.events().filter((event) => event.type === 'request.denied');
  expect(denials).toMatchObject([
    { action: 'kill', scope: { task: 'hers' }, principal: { id: 'nia' }, reason },
    { action: 'kill', scope: { agent: agentId }, principal: { id: 'nia' }, reason },
  ]);
});

it.each([
  ['POST', '/api/orchestrator/workspaces/demo/kill-all', [tokens.mia, tokens.zoe]],
  ['POST', '/api/orchestrator/emergency-stop', [tokens.mia, tokens.adam]],
  ['POST', '/api/orchestrator/emergency-stop/release', [tokens.mia, tokens.adam, tokens.bot]],
  ['DELETE', '/api/orchestrator/backends/local', [tokens.mia, tokens.adam]],
  ['POST', '/agents/kill-all', [tokens.mia]],
])('A2–A4, I9: %s %s is refused to whoever is not entitled', async (method, path, callers) => {
  for (const token of callers)
    expect(await server.call(method, path, token, { reason })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
});

it('I11: what lies in a foreign workspace looks as if it were not there', async () => {
  const agentId = await server.spawn(tokens.mia, 'secret', 'cooperative');
  const look = async (path: string, id: string) => {
    const { status, body } = await server.call('POST', path.replace('ID', id), tokens.zoe, { reason });
    return { status, body: JSON.stringify(body).replaceAll(id, 'ID') };
  };
  expect(await look('/api/orchestrator/tasks/ID/kill', 'secret')).toEqual(
    await look('/api/orchestrator/tasks/ID/kill', 'nothing'),
  );
  expect(await look('/agents/ID/kill', agentId)).toEqual(await look('/agents/ID/kill', 'agt_nothing'));
  const read = await server.call('GET', `/agents/${agentId}/status`, tokens.zoe);
  expect([read.status, read.body.code]).toEqual([404, 'unknown-target']);
  const order = await server.call('POST', `/agents/${agentId}/kill`, tokens.mia, { reason });
  expect(
    (await server.call('GET', `/api/orchestrator/orders/${order.body.orderId}`, tokens.mia)).body,
  ).toMatchObject({ settled: true, killed: 1 });
  expect(
    (await server.call('GET', `/api/orchestrator/orders/${order.body.orderId}`, tokens.zoe)).status,
  ).toBe(404);
  expect((await server.call('GET', '/api/orchestrator/status', tokens.zoe)).body.gates).toEqual([]);
});

it('A1: an admin kills any task of the workspace; nobody without a token gets anywhere', async () => {
  const agentId = await server.spawn(tokens.nia, 'theirs', 'forking');
  for (const path of [
    '/api/orchestrator/tasks/theirs/kill',
    '/api/orchestrator/emergency-stop',
    '/agents/spawn',
    `/agents/${agentId}/kill`,
  ]) {
    const answer = await server.call('POST', path, undefined, { reason });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect((await server.call('POST', path, 'wrong', { reason })).status).toBe(401);
  }
  expect(
    (await server.call('POST', '/api/orchestrator/tasks/theirs/kill', tokens.adam, { reason })).body,
  ).toMatchObject({ killed: 1 });
  expect(processesOf(agentId)).toEqual([]);
});

it('A4: a revoked backend starts nothing again, others do; the killed task stays dead', async () => {
  const agentId = await server.spawn(tokens.mia, 'gpu-task', 'stubborn', { backendId: 'gpu' });
  expect(
    (await server.call('DELETE', '/api/orchestrator/backends/gpu', tokens.sue, { reason })).body,
  ).toMatchObject({ killed: 1 });
  expect(processesOf(agentId)).toEqual([]);
  const again = await server.call('POST', '/agents/spawn', tokens.mia, {
    taskId: 'x',
    agentType: 'worker',
    backendId: 'gpu',
  });
  expect(again).toMatchObject({
    status: 423,
    body: { code: 'gate-closed', gate: { scope: { backend: 'gpu' }, reason } },
  });
  await server.spawn(tokens.mia, 'x', 'cooperative');
  expect((await server.call('POST', '/api/orchestrator/tasks/x/kill', tokens.mia, { reason })).status).toBe(
    200,
  );
  const retry = await server.call('POST', '/agents/spawn', tokens.mia, { taskId: 'x', agentType: 'worker' });
  expect(retry).toMatchObject({ status: 423, body: { gate: { scope: { task: 'x' } } } });
});

it('B1: a kill of an agent that has ended is an invalid transition', async () => {
  const agentId = await server.spawn(tokens.mia, 'short', 'finishing');
  for (let status = 'running'; status !== 'completed'; ) {
    status = (await server.call('GET', `/agents/${agentId}/status`, tokens.mia)).body.status;
    expect(['running', 'completed']).toContain(status);
  }
  expect(await server.call('POST', `/agents/${agentId}/kill`, tokens.mia, { reason })).toMatchObject({
    status: 400,
    body: { code: 'invalid-transition' },
  });
});
