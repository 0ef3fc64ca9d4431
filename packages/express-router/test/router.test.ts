import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createKillswitch, type Killswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Authenticate,
  agentRouter,
  killswitchRouter,
  mapRoutes,
  noSuchRoute,
  problemHandler,
  route,
} from '../src/index.ts';

const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
const reason = 'it went rogue';

const runtime = memoryRuntime();
let ks: Killswitch;
let server: Server | undefined;
beforeEach(async () => {
  ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
  });
  await ks.start();
});
afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  await ks.close();
});

/** Serves `mount` below `/kill` and returns a way to call it. */
async function serve(mount: express.RequestHandler) {
  const app = express().use('/kill', mount).use(noSuchRoute).use(problemHandler());
  server = createServer(app);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return async (method: string, path: string, body?: unknown, type = 'application/json') => {
    const init =
      body === undefined
        ? {}
        : {
            headers: { 'content-type': type },
            body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
          };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...init });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
}

async function agent(agentId: string, behaviour: 'cooperative' | 'immortal'): Promise<void> {
  await ks.admit({ agentId, taskId: `task-${agentId}`, workspaceId: 'w', ownerId: 'root' });
  await ks.running(agentId, [runtime.spawn(behaviour)]);
}

describe('a router', () => {
  it.each([{}, undefined, { authenticate: 'yes' }, { authenticate: null }])(
    'is not made without an authenticate function: %o',
    (options) => {
      for (const make of [killswitchRouter, agentRouter]) {
        expect(() => make(ks, options as never)).toThrow(
          expect.objectContaining({ code: 'invalid-configuration' }),
        );
      }
    },
  );

  it('is not made with options of the console that are none, and all of them are named', () => {
    const console = { outOfBand: 1, demo: [{ label: 'x', path: '/x' }], color: 'red' } as never;
    expect(() => killswitchRouter(ks, { authenticate: () => root, console })).toThrow(
      expect.objectContaining({
        code: 'invalid-configuration',
        issues: [
          expect.stringMatching(/^console\.outOfBand: /),
          expect.stringMatching(/^console\.demo\.0\.body: /),
          expect.stringMatching(/^console: .*color/),
        ],
      }),
    );
  });

  it('answers 200 when everybody is observed dead, with an outcome per agent', async () => {
    await agent('a1', 'cooperative');
    const call = await serve(killswitchRouter(ks, { authenticate: () => root }));
    const { status, body, headers } = await call('POST', '/kill/tasks/task-a1/kill', { reason });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      message: expect.any(String),
      total: 1,
      killed: 1,
      failed: 0,
      stored: true,
      errors: [],
    });
    expect(body.outcomes).toMatchObject([
      {
        agentId: 'a1',
        taskId: 'task-a1',
        sessionIds: [],
        statusBefore: 'running',
        outcome: 'confirmed',
        forced: false,
        confirmedAt: expect.stringMatching(/Z$/),
      },
    ]);
  });

  it.each([
    ['application/json', 'json', express.json(), 200],
    ['application/json', 'raw', express.raw({ type: '*/*' }), 200],
    ['application/json', 'text', express.text({ type: '*/*' }), 200],
    ['application/vnd.api+json', 'json of any type', express.json({ type: '*/*' }), 200],
    ['text/plain', 'json of any type', express.json({ type: '*/*' }), 415],
    ['text/plain', 'raw', express.raw({ type: '*/*' }), 415],
    ['application/x-www-form-urlencoded', 'form', express.urlencoded({ extended: true }), 415],
  ])(
    'takes a stop as %s behind a parser (%s), but none that a form can send',
    async (type, _, parser, status) => {
      await agent('a1', 'cooperative');
      const call = await serve(express().use(parser, killswitchRouter(ks, { authenticate: () => root })));
      const body = type.includes('form') ? 'reason=x' : JSON.stringify({ reason });
      const answer = await call('POST', '/kill/tasks/task-a1/kill', Buffer.from(body), type);
      expect(answer.status).toBe(status);
      expect((await ks.status()).gates).toHaveLength(status === 200 ? 1 : 0);
    },
  );

  it('lets nobody who acts wait until all who look have been answered', async () => {
    let looked = 0;
    const look = route<undefined>({
      method: 'GET',
      path: '/look',
      permission: 'own',
      summary: 'Takes its time',
      answers: {},
      handle: () => {
        looked += 1;
        for (const begun = performance.now(); performance.now() - begun < 5; );
        return { status: 200 };
      },
    });
    const lookedBefore: number[] = [];
    const act = route<undefined>({
      method: 'POST',
      path: '/act',
      permission: 'own',
      summary: 'Acts',
      answers: {},
      handle: () => {
        lookedBefore.push(looked);
        return { status: 200 };
      },
    });
    await serve(mapRoutes([look, act], undefined, { authenticate: () => root }));
    const listening = server as unknown as Server;
    const { port } = listening.address() as AddressInfo;
    let accepted = 0;
    listening.on('connection', () => {
      accepted += 1;
    });
    const sockets = await Promise.all(
      Array.from({ length: 31 }, async () => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        return socket;
      }),
    );
    while (accepted < 31) await once(listening, 'connection');
    // All of them are there before the server reads one.
    for (const [n, socket] of sockets.entries())
      socket.write(
        `${n < 30 ? 'GET /kill/look' : 'POST /kill/act'} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      );
    for (const socket of sockets) await once(socket.resume(), 'close');
    expect(looked).toBe(30);
    expect(lookedBefore[0]).toBeLessThan(15);
  });

  it('answers 202 at the wait limit, with a Location where it goes on', async () => {
    await agent('a1', 'immortal');
    const call = await serve(killswitchRouter(ks, { authenticate: () => root, waitMs: 50 }));
    const { status, body, headers } = await call('POST', '/kill/emergency-stop', { reason });
    expect(status).toBe(202);
    expect(body).toMatchObject({
      settled: false,
      total: 1,
      killed: 0,
      outcomes: [{ agentId: 'a1', outcome: 'pending' }],
    });
    expect(headers.get('location')).toBe(`/kill/orders/${body.orderId}`);
    expect((await call('GET', headers.get('location') ?? '')).body).toMatchObject({
      orderId: body.orderId,
      settled: false,
    });
  });

  it.each<[string, Authenticate, number, string]>([
    ['knows nobody', () => undefined, 401, 'unauthenticated'],
    ['says null of nobody', async () => null, 401, 'unauthenticated'],
    [
      'throws',
      () => {
        throw new Error('token=hunter2');
      },
      503,
      'authentication-unavailable',
    ],
    [
      'rejects',
      async () => {
        throw new Error('token=hunter2');
      },
      503,
      'authentication-unavailable',
    ],
    [
      'makes up a role',
      () => ({ id: 'x', kind: 'user', grants: [{ role: 'emperor' }] }) as never,
      503,
      'authentication-unavailable',
    ],
  ])('whose authentication %s does nothing', async (_, authenticate, status, code) => {
    const call = await serve(killswitchRouter(ks, { authenticate, onFault: () => {} }));
    const answer = await call('POST', '/kill/emergency-stop', { reason });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
    expect((await ks.status()).gates).toEqual([]);
  });

  it('tells nothing of a fault of its own but that there was one', async () => {
    const faults: string[] = [];
    const broken = route<undefined>({
      method: 'GET',
      path: '/broken',
      permission: 'own',
      summary: 'Breaks',
      answers: {},
      handle: async () => {
        throw new Error('password=hunter2 at /srv/app.ts:3');
      },
    });
    const call = await serve(
      mapRoutes([broken], undefined, { authenticate: () => root, onFault: (line) => faults.push(line) }),
    );
    const { status, body } = await call('GET', '/kill/broken');
    expect(status).toBe(500);
    expect(body).toEqual({
      type: 'urn:agent-killswitch:problem:internal',
      title: expect.any(String),
      status: 500,
      code: 'internal',
    });
    expect(faults).toEqual([expect.stringContaining('GET /kill/broken')]);
    expect(faults.join()).not.toContain('hunter2');
  });

  it('refuses what is no UTF-8 instead of putting something else on record', async () => {
    const call = await serve(killswitchRouter(ks, { authenticate: () => root }));
    const latin1 = Buffer.from('{"reason":"verr\u00fcckt"}', 'latin1');
    const refused = { status: 400, body: { code: 'malformed-request' } };
    expect(await call('POST', '/kill/emergency-stop', latin1)).toMatchObject(refused);
    expect(await call('DELETE', '/kill/backends/b?reason=verr%fcckt')).toMatchObject(refused);
    expect((await ks.status()).gates).toEqual([]);
  });

  it('leaves paths it does not know to the app', async () => {
    const call = await serve(killswitchRouter(ks, { authenticate: () => root }));
    expect(await call('GET', '/kill/nope')).toMatchObject({ status: 404, body: { code: 'no-such-route' } });
  });
});
