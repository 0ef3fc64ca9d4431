import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKillswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { agentRouter } from '../src/index.ts';

const callers = 500;
const mia: Principal = { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'w' }] };
const body = '{"reason":"it went rogue"}';

it(`${callers} callers hang up in the middle of their kills: every kill finishes, and is on record once (I8)`, async () => {
  const audit = memoryAudit();
  const memory = memoryRuntime();
  // Nobody dies before every caller is gone.
  const gone = Promise.withResolvers<void>();
  const late =
    (how: 'kill' | 'force'): typeof memory.kill =>
    async (...told) => {
      await gone.promise;
      await memory[how](...told);
    };
  const ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit,
    runtimes: { memory: { ...memory, kill: late('kill'), force: late('force') } },
    deadlines: { forceAfter: 30_000, confirmWithin: 60_000 },
  });
  await ks.start();
  onTestFinished(() => ks.close());
  const handles = Array.from({ length: callers }, () => memory.spawn());
  for (const [n, handle] of handles.entries()) {
    await ks.admit({ agentId: `a-${n}`, taskId: `t-${n}`, workspaceId: 'w', ownerId: 'mia' });
    await ks.running(`a-${n}`, [handle]);
  }
  const signalled = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  const count = { signalled: 0, settled: 0 };
  ks.on('step', ({ step }) => {
    if (step !== 'signalled' && step !== 'settled') return;
    count[step] += 1;
    if (count.signalled === callers) signalled.resolve();
    if (count.settled === callers) settled.resolve();
  });

  const server = createServer(express().use(agentRouter(ks, { authenticate: () => mia })));
  const hangUps: Array<Promise<unknown>> = [];
  server.on('connection', (socket) => hangUps.push(once(socket, 'close')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const agent = new Agent({ maxSockets: callers });
  const asked = handles.map((_, n) => {
    const path = `/agents/a-${n}/kill`;
    const kill = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent });
    kill.on('error', () => undefined).end(body);
    return kill;
  });
  await signalled.promise;
  for (const kill of asked) kill.destroy();
  await Promise.all(hangUps);
  expect(hangUps).toHaveLength(callers);
  expect(count.settled).toBe(0);
  gone.resolve();
  await settled.promise;

  for (const handle of handles) expect(memory.isAlive(handle)).toBe(false);
  const told = audit.events().map(({ type }) => type);
  for (const type of ['order.requested', 'agent.killed', 'order.settled'])
    expect(told.filter((each) => each === type)).toHaveLength(callers);
  for (const n of handles.keys()) expect(await ks.agent(`a-${n}`)).toMatchObject({ status: 'killed' });
});
