import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesOf } from './support/processes.ts';
import { type Answer, type Life, Site, tokens } from './support/reference-server.ts';

let site: Site;
let server: Life;
let agentId: string;
beforeAll(async () => {
  site = new Site();
  server = await site.boot();
  agentId = await server.spawn(tokens.mia, 'task', 'stubborn');
});
afterAll(() => site.dispose());

function expectProblem(answer: Answer, statuses: readonly number[]): void {
  expect(statuses).toContain(answer.status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    type: expect.stringMatching(/^urn:agent-killswitch:problem:/),
    title: expect.any(String),
    status: answer.status,
    code: expect.any(String),
  });
  expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*[:(]\d+|node_modules|\.ts:|\/src\//);
}

const reasons: Array<[string, unknown]> = [
  ['missing', {}],
  ['blank', { reason: ' \t\n' }],
  ['invisible', { reason: '\u200b\u00a0' }],
  ['over-long', { reason: 'x'.repeat(2_001) }],
  ['a number', { reason: 7 }],
  ['null', { reason: null }],
  ['an object', { reason: { toString: 'x' } }],
  ['with an unknown field beside it', { reason: 'x', principal: { id: 'root' } }],
  ['with __proto__ beside it', '{"reason":"x","__proto__":{"polluted":true}}'],
  ['in an array', ['x']],
  ['as a bare string', '"x"'],
  ['malformed JSON', '{"reason": '],
  ['not closed', '{"reason":"x"'],
  ['with a lone surrogate', '{"reason":"\\ud800"}'],
];
const ids = [
  'a%2Fb',
  'a%00b',
  'x'.repeat(10_000),
  '__proto__',
  'constructor',
  '..%2F..%2Fetc',
  '%20',
  'a%0d%0ab',
  '%F0%9F%92%A5',
  '%ff',
  '%',
  '.',
];

describe.each([
  ['POST', '/api/orchestrator/tasks/ID/kill', 'task'],
  ['POST', '/api/orchestrator/workspaces/ID/kill-all', 'demo'],
  ['POST', '/api/orchestrator/emergency-stop', ''],
  ['POST', '/api/orchestrator/emergency-stop/release', ''],
  ['DELETE', '/api/orchestrator/backends/ID', 'local'],
  ['POST', '/agents/ID/kill', 'AGENT'],
  ['POST', '/agents/kill-all', ''],
])('%s %s', (method, template, good) => {
  const path = (id: string): string => template.replace('ID', id === 'AGENT' ? agentId : id);

  it.each(reasons)('refuses a reason that is %s', async (_, body) => {
    expectProblem(await server.call(method, path(good), tokens.sue, body), [400]);
  });

  it('refuses a body over the limit, of another type, or compressed', async () => {
    expectProblem(await server.call(method, path(good), tokens.sue, { reason: 'x'.repeat(100_000) }), [413]);
    expectProblem(
      await server.call(method, path(good), tokens.sue, 'reason=x', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
      [415],
    );
    expectProblem(
      await server.call(method, path(good), tokens.sue, 'x', { headers: { 'content-encoding': 'br' } }),
      [400, 415],
    );
  });

  it('refuses another method and says which it knows', async () => {
    const answer = await server.call('PUT', path(good), tokens.sue, { reason: 'x' });
    expectProblem(answer, [405]);
    expect(answer.headers.get('allow')).toBe(method);
  });
});

describe.each([
  ['POST', '/api/orchestrator/tasks/ID/kill'],
  ['POST', '/api/orchestrator/workspaces/ID/kill-all'],
  ['DELETE', '/api/orchestrator/backends/ID'],
  ['POST', '/agents/ID/kill'],
])('%s %s', (method, template) => {
  it.each(ids)('refuses the id %s', async (id) => {
    expectProblem(
      await server.call(method, template.replace('ID', id), tokens.sue, { reason: 'x' }),
      [400, 404],
    );
  });
});

it.each([
  ['nothing', undefined],
  ['no task', { agentType: 'worker' }],
  ['an unknown agent type', { taskId: 't', agentType: 'boss' }],
  ['an unknown behaviour', { taskId: 't', agentType: 'worker', behaviour: 'evil' }],
  ['an unknown runtime', { taskId: 't', agentType: 'worker', runtime: 'quantum' }],
  ['an owner of its own', { taskId: 't', agentType: 'worker', ownerId: 'root' }],
  ['a task id with a slash', { taskId: 'a/b', agentType: 'worker' }],
  ['a task id of 10,000 characters', { taskId: 'x'.repeat(10_000), agentType: 'worker' }],
  ['a task id __proto__', { taskId: '__proto__', agentType: 'worker' }],
  ['a context that is a list', { taskId: 't', agentType: 'worker', context: [] }],
])('refuses to spawn for %s', async (_, body) => {
  expectProblem(await server.call('POST', '/agents/spawn', tokens.mia, body), [400]);
});

it('refuses to spawn in a foreign workspace, or under the task id of another', async () => {
  expectProblem(
    await server.call('POST', '/agents/spawn', tokens.mia, {
      taskId: 't',
      agentType: 'worker',
      workspaceId: 'other',
    }),
    [403],
  );
  expectProblem(
    await server.call('POST', '/agents/spawn', tokens.nia, {
      taskId: 'task',
      agentType: 'worker',
      workspaceId: 'demo',
    }),
    [409],
  );
});

it('answers unknown paths, orders and agents with a problem', async () => {
  for (const path of [
    '/nope',
    '/api/orchestrator/nope',
    '/api/orchestrator/orders/ord_nope',
    '/agents/agt_nope/status',
    '/api/orchestrator/orders/__proto__',
  ]) {
    expectProblem(await server.call('GET', path, tokens.sue), [400, 404]);
  }
});

it('refuses two different reasons in body and query, and a reason given twice in the query', async () => {
  expectProblem(
    await server.call('DELETE', '/api/orchestrator/backends/local?reason=a', tokens.sue, { reason: 'b' }),
    [400],
  );
  expectProblem(
    await server.call('DELETE', '/api/orchestrator/backends/local?reason=a&reason=b', tokens.sue),
    [400],
  );
});

it('survives bytes that are no HTTP', async () => {
  const { hostname, port } = new URL(server.url);
  for (const bytes of [
    '\0\x01\x02\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'POST /agents/kill-all HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
    'POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\nZZ\r\n',
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      socket
        .on('close', () => resolve())
        .on('error', () => undefined)
        .resume();
    });
  }
  expect((await server.call('GET', '/health')).status).toBe(200);
});

it('changed nothing by all of that', async () => {
  expect((await server.call('GET', `/agents/${agentId}/status`, tokens.mia)).body.status).toBe('running');
  expect(processesOf(agentId).length).toBeGreaterThan(0);
  expect((await server.call('GET', '/api/orchestrator/status', tokens.sue)).body).toMatchObject({
    gates: [],
    openOrders: [],
  });
  const types = site.events().map((event) => event.type);
  expect(new Set(types)).toEqual(new Set(['request.denied']));
  for (const token of Object.values(tokens)) expect(JSON.stringify(site.events())).not.toContain(token);
  expect(server.output).not.toMatch(/ {4}at |token-of/);
});
