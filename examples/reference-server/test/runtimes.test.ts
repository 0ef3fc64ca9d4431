import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processesOf } from './support/processes.ts';
import { type Answer, type Life, Site, tokens } from './support/reference-server.ts';

const reason = 'it went rogue';

let site: Site;
let server: Life;
beforeEach(async () => {
  site = new Site();
  server = await site.boot();
});
afterEach(() => site.dispose());

const threads = (): number => readdirSync(`/proc/${server.pid}/task`).length;
const kill = (taskId: string): Promise<Answer> =>
  server.call('POST', `/api/orchestrator/tasks/${taskId}/kill`, tokens.mia, { reason });
const status = (agentId: string): Promise<Answer> =>
  server.call('GET', `/agents/${agentId}/status`, tokens.mia);

/** Asks until the answer is the expected one; the test's own time limit ends it if that never happens. */
async function until(agentId: string, wanted: string): Promise<Answer> {
  for (;;) {
    const answer = await status(agentId);
    if (answer.body.status === wanted) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('an agent that is a worker thread', () => {
  it.each(['cooperative', 'stubborn', 'forking'])('A1, A5: %s, is killed over HTTP', async (behaviour) => {
    const before = threads();
    const agentId = await server.spawn(tokens.mia, 'w', behaviour, { runtime: 'worker' });
    expect(threads()).toBeGreaterThan(before);
    if (behaviour === 'forking')
      while (processesOf(agentId).length < 4) await new Promise((resolve) => setTimeout(resolve, 5));

    const answer = await kill('w');

    expect(answer).toMatchObject({ status: 200, body: { settled: true, killed: 1, failed: 0 } });
    expect(answer.body.outcomes[0]).toMatchObject({
      outcome: 'confirmed',
      evidence: expect.stringMatching(
        new RegExp(
          `^worker thread \\d+ of process ${server.pid} exited with code \\d, no process carries its mark$`,
        ),
      ),
    });
    expect(threads()).toBe(before);
    expect(processesOf(agentId)).toEqual([]);
    expect((await status(agentId)).body).toMatchObject({ status: 'killed', handle: { runtime: 'worker' } });
  });

  it('ends by itself, and is over then', async () => {
    const agentId = await server.spawn(tokens.mia, 'w', 'finishing', { runtime: 'worker' });
    expect((await until(agentId, 'completed')).body).toMatchObject({ completedAt: expect.any(String) });
  });
});

describe('an agent that is a promise', () => {
  it.each(['cooperative', 'forking'])('A1: %s, is told to end and does', async (behaviour) => {
    const agentId = await server.spawn(tokens.mia, 'p', behaviour, { runtime: 'promise' });
    expect(await kill('p')).toMatchObject({
      status: 200,
      body: { settled: true, killed: 1, outcomes: [{ agentId, evidence: 'its promise was rejected' }] },
    });
  });

  it('ends by itself, and is over then', async () => {
    const agentId = await server.spawn(tokens.mia, 'p', 'finishing', { runtime: 'promise' });
    await until(agentId, 'completed');
  });

  it('I1, I3: that heeds nothing is named, not called dead; after a restart its death is on record', async () => {
    const agentId = await server.spawn(tokens.mia, 'p', 'stubborn', { runtime: 'promise' });
    // The answer does not wait for the deadline; the order names at its deadline who is not confirmed dead.
    const { status: code, body } = await kill('p');
    expect([code, body.settled, body.killed]).toEqual([202, false, 0]);
    const ask = () => server.call('GET', `/api/orchestrator/orders/${body.orderId}`, tokens.mia);
    let order = await ask();
    while (order.body.failed === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order = await ask();
    }
    expect(order.body.outcomes).toMatchObject([
      { agentId, outcome: 'unconfirmed', evidence: 'its promise has not settled, and nothing can force it' },
    ]);
    expect((await status(agentId)).body.status).toBe('killing');
    const { pid } = server;
    await server.crash();
    server = await site.boot();
    await until(agentId, 'killed');
    const told = site.events().flatMap((event) => (event.type === 'agent.killed' ? [event] : []));
    expect(told).toMatchObject([
      { agentId, evidence: `process ${pid}, in which it lived, is gone from /proc`, reason },
    ]);
  });
});

it('worker threads and promises end with a server that crashes, and the next one says so', async () => {
  const agents = [];
  for (const runtime of ['worker', 'promise'])
    agents.push(await server.spawn(tokens.mia, runtime, 'stubborn', { runtime }));
  await server.crash();
  server = await site.boot();
  for (const agentId of agents) {
    expect((await until(agentId, 'failed')).body).toMatchObject({ error: expect.any(String) });
  }
});

it('an emergency stop reaches every kind of agent', async () => {
  for (const runtime of ['process', 'worker', 'promise'])
    await server.spawn(tokens.mia, runtime, 'cooperative', { runtime });
  const stop = await server.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason });
  expect(stop).toMatchObject({ status: 200, body: { settled: true, killed: 3 } });
});

it('a runtime that there is not is refused', async () => {
  const body = { taskId: 't', agentType: 'worker', runtime: 'thread' };
  const answer = await server.call('POST', '/agents/spawn', tokens.mia, body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-input' } });
});
