import { promiseRuntime, workerRuntime } from '@agent-killswitch/adapter-process';
import { createKillswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { describe, expect, it } from 'vitest';
import { createSessions } from './create-sessions.ts';
import { memorySessions } from './memory-sessions.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';
import { heldStore } from './testing/held-store.ts';
import {
  ada,
  adas,
  admin,
  bob,
  harness,
  heeding,
  held,
  reason,
  root,
  stranger,
} from './testing/sessions-harness.ts';

describe('D1: start a session as a background task and kill it', () => {
  it('start resolves while the task runs; its end is stored', async () => {
    const { sessions } = await harness();
    const { task, end } = held();
    const { ended } = await sessions.start('s1', adas, task);
    expect(await sessions.get('s1')).toMatchObject({ status: 'running', ownerId: 'ada', hostId: 'host-1' });
    end();
    expect(await ended).toEqual({ status: 'fulfilled', value: undefined });
    expect(await sessions.get('s1')).toMatchObject({ status: 'completed', endedAt: expect.any(Number) });
  });

  it('the owner may', async () => {
    const { sessions } = await harness();
    const { ended } = await sessions.start('s1', adas, heeding);
    const report = await sessions.kill('s1', { principal: ada, reason });
    expect(report).toMatchObject({
      settled: true,
      total: 1,
      killed: 1,
      outcomes: [{ agentId: 's1', outcome: 'confirmed' }],
    });
    expect(await ended).toMatchObject({
      status: 'rejected',
      reason: { code: 'agent-stopped', demand: 'kill' },
    });
  });

  it('others may not, on record', async () => {
    const { sessions, events } = await harness();
    const { end, task } = held();
    await sessions.start('s1', adas, task);
    await expect(sessions.kill('s1', { principal: bob, reason })).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await sessions.get('s1')).toMatchObject({ status: 'running' });
    expect(events('request.denied')).toMatchObject([
      { principal: { id: 'bob' }, scope: { agent: 's1' }, reason },
    ]);
    end();
  });

  it.each([
    ['workspace admin', admin],
    ['super admin', root],
  ])('a %s may kill any', async (_, principal) => {
    const { sessions } = await harness();
    await sessions.start('s1', adas, heeding);
    expect(await sessions.kill('s1', { principal, reason })).toMatchObject({ killed: 1 });
  });

  it('kill-all for admins returns the count', async () => {
    const { ks, sessions } = await harness();
    for (const [id, workspaceId] of [
      ['a', 'w'],
      ['b', 'w'],
      ['c', 'elsewhere'],
    ] as const)
      await sessions.start(id, { ownerId: 'ada', workspaceId }, heeding);
    await ks.admit({ agentId: 'container', taskId: 't', ownerId: 'ada', workspaceId: 'elsewhere' });
    for (const principal of [ada, admin])
      await expect(sessions.killAll({ principal, reason })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(
      sessions.killAll({ principal: admin, workspaceId: 'elsewhere', reason }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    expect(await sessions.killAll({ principal: admin, workspaceId: 'w', reason })).toMatchObject({
      total: 2,
      killed: 2,
      failed: 0,
    });
    expect(await sessions.killAll({ principal: root, reason })).toMatchObject({
      total: 1,
      killed: 1,
      failed: 0,
    });
    expect(await sessions.killAll({ principal: root, reason })).toMatchObject({
      total: 0,
      killed: 0,
      failed: 0,
    });
    // Agents that are no sessions are not theirs to kill.
    expect((await ks.agent('container')).status).toBe('spawning');
  });

  it('an unknown session gives false, not an exception; so does a foreign one (I11), one that is over, and no id at all', async () => {
    const { sessions, events } = await harness();
    const { end, task } = held();
    const { ended } = await sessions.start('s1', adas, task);
    expect(await sessions.kill('nobody', { principal: ada, reason })).toBe(false);
    expect(await sessions.kill('no id / at all', { principal: ada, reason })).toBe(false);
    expect(await sessions.kill('s1', { principal: stranger, reason })).toBe(false);
    expect(events('request.denied')).toMatchObject([{ principal: { id: 'zoe' } }]);
    end();
    await ended;
    expect(await sessions.kill('s1', { principal: ada, reason })).toBe(false);
    expect(events('agent.killed')).toEqual([]);
  });
});

it('an agent that is no session cannot be told from an unknown id, whoever asks and whatever is asked (I11)', async () => {
  const runtime = memoryRuntime();
  const { ks, sessions, events } = await harness({ runtimes: { memory: runtime } });
  await ks.admit({ agentId: 'container', taskId: 't', ...adas, backendId: 'docker' });
  await ks.running('container', [runtime.spawn()]);
  for (const principal of [ada, bob, stranger, admin, root])
    for (const id of ['container', 'nobody'])
      expect(await sessions.kill(id, { principal, reason })).toBe(false);
  const faults = async (id: string, request: object): Promise<unknown> =>
    sessions.kill(id, request as never).catch(({ code, message }) => ({ code, message }));
  for (const request of [{}, { principal: ada }, { principal: ada, reason, waitMs: -1 }, { hold: true }]) {
    const fault = await faults('container', request);
    expect(fault).toMatchObject({ code: 'invalid-input' });
    expect(await faults('nobody', request)).toEqual(fault);
  }
  expect(await sessions.get('container')).toBeUndefined();
  expect((await ks.agent('container')).status).toBe('running');
  expect(events('request.denied')).toEqual([]);
  expect(events('order.requested')).toEqual([]);
});

describe('D2: a kill cancels the task and leaves a post-mortem', () => {
  it('records killed, when, by whom and why, and preserves the last checkpoint', async () => {
    const { sessions, events } = await harness();
    const { ended } = await sessions.start('s1', adas, async (context) => {
      await context.checkpoint({ step: 1 });
      await context.checkpoint({ step: 2, done: ['a', 'b'] });
      return heeding(context);
    });
    const before = Date.now();
    await sessions.kill('s1', { principal: admin, reason });
    await ended;
    const session = await sessions.get('s1');
    expect(session).toMatchObject({
      ...{ status: 'killed', killedBy: 'adam', killReason: reason },
      checkpoint: { value: { step: 2, done: ['a', 'b'] }, number: 2 },
    });
    expect(session?.killedAt).toBeGreaterThanOrEqual(before);
    expect(session?.endedAt).toBe(session?.killedAt);
    expect(events('agent.killed')).toMatchObject([
      { agentId: 's1', sessionIds: ['s1'], principal: { id: 'adam' }, reason },
    ]);
  });

  it('what it saves last, on being told to end, is preserved too, waited for or not', async () => {
    const { sessions } = await harness();
    await sessions.start('s1', adas, async ({ signal, checkpoint }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      void checkpoint('last words');
    });
    await sessions.kill('s1', { principal: ada, reason });
    expect(await sessions.get('s1')).toMatchObject({ status: 'killed', checkpoint: { value: 'last words' } });
  });

  it('a session killed by any other stop says so just the same', async () => {
    const { ks, sessions } = await harness();
    await sessions.start('s1', { ...adas, taskId: 't' }, heeding);
    await sessions.start('s2', adas, heeding);
    await sessions.start('s3', { ...adas, parentId: 's2' }, heeding);
    await ks.kill({ task: 't' }, { principal: ada, reason: 'the task' });
    await ks.emergencyStop({ principal: root, reason: 'all of it' });
    const { items } = await sessions.list();
    expect(items).toMatchObject([
      { sessionId: 's3', killedBy: 'root', killReason: 'all of it' },
      { sessionId: 's2', killedBy: 'root' },
      { sessionId: 's1', killedBy: 'ada', killReason: 'the task' },
    ]);
    await expect(sessions.start('s4', adas, heeding)).rejects.toMatchObject({ code: 'gate-closed' });
    expect(await sessions.get('s4')).toBeUndefined();
  });
});

it('D4: 500 concurrent sessions and concurrent kills, owners and admins mixed: the right outcomes, each exactly once', async () => {
  const { sessions, events } = await harness({ deadlines: { forceAfter: 2_000, confirmWithin: 20_000 } });
  const ids = Array.from({ length: 500 }, (_, n) => `s${n}`);
  await Promise.all(
    ids.map((id, n) =>
      sessions.start(id, { ownerId: n % 2 === 0 ? 'ada' : 'bob', workspaceId: 'w' }, heeding),
    ),
  );
  // Of every five: killed by its owner, by an admin, by both at once, by nobody, and tried by somebody else.
  const kills = ids.map((id, n) => {
    const [owner, other] = n % 2 === 0 ? [ada, bob] : [bob, ada];
    const by = [[owner], [admin], [owner, admin], [], [other]][n % 5] ?? [];
    return Promise.allSettled(by.map((principal) => sessions.kill(id, { principal, reason })));
  });
  const results = await Promise.all(kills);
  for (const [n, id] of ids.entries()) {
    const session = await sessions.get(id);
    const owner = n % 2 === 0 ? 'ada' : 'bob';
    const [first, second] = results[n] ?? [];
    if (n % 5 < 3) expect(session).toMatchObject({ status: 'killed' });
    else expect(session).toMatchObject({ status: 'running' });
    if (n % 5 === 0) expect(session?.killedBy).toBe(owner);
    if (n % 5 === 1) expect(session?.killedBy).toBe('adam');
    if (n % 5 === 2) {
      // Whoever was first; the other has joined, or came when it was over.
      expect([owner, 'adam']).toContain(session?.killedBy);
      const answers = [first, second].map((each) => each?.status === 'fulfilled' && each.value);
      expect(
        answers.filter((answer) => answer !== false && answer !== undefined).length,
      ).toBeGreaterThanOrEqual(1);
    }
    if (n % 5 === 4) expect(first).toMatchObject({ status: 'rejected', reason: { code: 'forbidden' } });
  }
  const killed = events('agent.killed').map(({ agentId }) => agentId);
  expect(killed).toHaveLength(300);
  expect(new Set(killed).size).toBe(300);
  expect(events('request.denied')).toHaveLength(100);
  expect(await sessions.killAll({ principal: root, reason })).toMatchObject({ total: 200, killed: 200 });
  expect(events('agent.killed')).toHaveLength(500);
}, 60_000);

describe('bad input, by name, and nothing else is disturbed', () => {
  it('an id in use, or used before', async () => {
    const { sessions } = await harness();
    const first = held();
    const { ended } = await sessions.start('s1', adas, first.task);
    await (await first.context).checkpoint('mine');
    let began = false;
    const again = (): Promise<unknown> =>
      sessions.start('s1', adas, async () => {
        began = true;
      });
    await expect(again()).rejects.toMatchObject({ code: 'agent-exists' });
    expect(await sessions.get('s1')).toMatchObject({ status: 'running', checkpoint: { value: 'mine' } });
    first.end();
    await ended;
    await expect(again()).rejects.toMatchObject({ code: 'agent-exists' });
    expect(await sessions.get('s1')).toMatchObject({ status: 'completed', checkpoint: { value: 'mine' } });
    expect(began).toBe(false);
  });

  it('a task that throws synchronously has failed', async () => {
    const { sessions } = await harness();
    const { ended } = await sessions.start('s1', adas, () => {
      throw new Error('at once');
    });
    expect(await ended).toMatchObject({ status: 'rejected' });
    expect(await sessions.get('s1')).toMatchObject({ status: 'failed', error: 'Error: at once' });
  });

  it('a task that is no function, and facts that are none, start nothing', async () => {
    const { sessions } = await harness();
    await expect(sessions.start('s1', adas, 'no task' as never)).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(sessions.start('s1', {} as never, heeding)).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(sessions.start('s1', { ...adas, color: 'red' } as never, heeding)).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(sessions.start('a b', adas, heeding)).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(sessions.kill('s1', { principal: ada } as never)).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(sessions.list({ limit: 0 })).rejects.toMatchObject({ code: 'invalid-input' });
    const nothing = undefined as never;
    for (const call of [
      () => sessions.start('s1', nothing, heeding),
      () => sessions.startWorker('s1', nothing, '/none.js'),
      () => sessions.startWorker('s1', adas, nothing),
      () => sessions.kill('s1', nothing),
      () => sessions.killAll(nothing),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'invalid-input' });
    expect(await sessions.kill(nothing, { principal: ada, reason })).toBe(false);
    expect(await sessions.get(nothing)).toBeUndefined();
    expect((await sessions.list()).items).toEqual([]);
  });

  it('a task that ignores its signal is named as not confirmed dead, until it ends after all (I1, I3)', async () => {
    const { sessions, events } = await harness({ deadlines: { forceAfter: 100, confirmWithin: 300 } });
    const { task, end } = held();
    const { ended } = await sessions.start('s1', adas, task);
    const other = await sessions.start('s2', adas, heeding);
    const report = await sessions.kill('s1', { principal: ada, reason });
    expect(report).toMatchObject({
      ...{ settled: false, killed: 0, failed: 1, outcomes: [{ outcome: 'unconfirmed' }] },
      errors: ['Agent "s1" is not confirmed dead: its promise has not settled, and nothing can force it'],
    });
    const named = await sessions.get('s1');
    expect(named).toMatchObject({ status: 'killing', killedBy: 'ada' });
    expect(named).not.toHaveProperty('killedAt');
    await expect.poll(async () => (await sessions.get('s1'))?.unconfirmedAt).toEqual(expect.any(Number));
    // Meanwhile others start and die as ever.
    await sessions.kill('s2', { principal: ada, reason });
    await other.ended;
    await expect.poll(async () => (await sessions.get('s2'))?.status).toBe('killed');
    end();
    await ended;
    await expect.poll(async () => (await sessions.get('s1'))?.status).toBe('killed');
    expect(events('agent.unconfirmed')).toHaveLength(1);
    expect(events('agent.killed').map(({ agentId }) => agentId)).toEqual(['s2', 's1']);
  });

  it('a checkpoint after its death is refused and changes nothing; nobody has to wait for that', async () => {
    const unhandled: unknown[] = [];
    const note = (fault: unknown): number => unhandled.push(fault);
    process.on('unhandledRejection', note);
    const { sessions } = await harness();
    const { task, context, end } = held();
    const { ended } = await sessions.start('s1', adas, task);
    const { checkpoint } = await context;
    await checkpoint('while it lived');
    end();
    await ended;
    void checkpoint('nobody waits for this');
    await expect(checkpoint('from beyond')).rejects.toMatchObject({ code: 'session-over' });
    expect(await sessions.get('s1')).toMatchObject({
      status: 'completed',
      checkpoint: { value: 'while it lived', number: 1 },
    });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('a runtime that the killswitch was not given: said, and what was started is told to end', async () => {
    const ks = createKillswitch({ hostId: 'h', state: memoryState(), audit: memoryAudit(), runtimes: {} });
    await ks.start();
    const sessions = createSessions(ks, { promises: promiseRuntime() });
    let signal: AbortSignal | undefined;
    const task = (context: { signal: AbortSignal }): Promise<void> => {
      signal = context.signal;
      return heeding(context as never);
    };
    await expect(sessions.start('s1', adas, task)).rejects.toThrow('no runtime is named "promise"');
    expect(signal?.aborted ?? true).toBe(true);
  });

  it('options that make no sense, all at once', async () => {
    const { ks } = await harness();
    expect(() =>
      createSessions(ks, {
        promises: {} as never,
        workers: {} as never,
        backendId: ' ',
        maxCheckpointBytes: 0,
      }),
    ).toThrow(/promises.*workers.*backendId.*maxCheckpointBytes/);
    expect(() => createSessions(ks, undefined as never)).toThrow(/promises/);
    const promises = promiseRuntime();
    for (const none of [undefined, null, {}, 'ks'])
      expect(() => createSessions(none as never, { promises })).toThrow(
        'createSessions ks: must be a killswitch',
      );
    const misspelt = { promises, maxCheckpointByte: 5, keepEndedMs: Number.NaN };
    expect(() => createSessions(ks, misspelt)).toThrow(
      /maxCheckpointByte: is no option.*keepEndedMs: must be/,
    );
  });

  it('every argument that is missing, by name', async () => {
    const { ks, sessions } = await harness();
    const call = sessions as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    const fault = async (name: string, ...given: unknown[]): Promise<string> =>
      (await call[name]?.(...given).catch(({ code, message }) => `${code}: ${message}`)) as string;
    const none = /^invalid-input: Invalid start(Worker)?: sessionId: .*; facts: .*; (task|file): must be a /;
    expect(await fault('start')).toMatch(none);
    expect(await fault('startWorker')).toMatch(none);
    expect(await fault('start', 's1', { ownerId: 'ada' }, heeding)).toMatch(/start: facts.workspaceId: /);
    expect(await fault('startWorker', 's1', { ...adas, worker: 7 }, '/f.js')).toMatch(/facts.worker: /);
    expect(await fault('start', 's1', { ...adas, backendId: 'b' }, heeding)).toMatch(/facts: .*"backendId"/);
    const throws = {
      get ownerId() {
        throw new Error('no');
      },
    };
    expect(await fault('start', 's1', throws, heeding)).toMatch(/^invalid-input: .*cannot be read/);
    expect(await fault('kill', 's1', {})).toMatch(/request: principal: .*; reason: /);
    expect(await fault('killAll')).toMatch(/request: principal: .*; reason: /);
    expect(await fault('killAll', 5)).toMatch(/killAll: must be an object/);
    // A query that lacks it must not come to mean everybody.
    expect(await fault('list', { workspaceId: undefined })).toMatch(/query: workspaceId: /);
    expect(await fault('list', { limit: Number.POSITIVE_INFINITY })).toMatch(/query: limit: /);
    expect((await ks.list({ everything: true }, { limit: 1 })).items).toEqual([]);
  });
});

it.each(['task', 'worker'] as const)(
  'a %s whose session was stopped while it was put on file never begins (I1)',
  async (kind) => {
    const [promises, workers] = [promiseRuntime(), workerRuntime()];
    const { store, putting, letGo } = heldStore();
    const { ks, sessions, events } = await harness(
      {
        deadlines: { forceAfter: 100, confirmWithin: 400 },
        runtimes: { promise: promises, worker: workers },
      },
      { store, promises, workers },
    );
    const end = Promise.withResolvers<void>();
    let hasBegun = false;
    const started = async () => {
      hasBegun = true;
    };
    // Its absence would be told by the thread that ran it.
    const starting =
      kind === 'task' ? sessions.start('s1', adas, started) : sessions.startWorker('s1', adas, '/none.js');
    await putting;
    // Nobody can force this one: the stop does not settle.
    const deaf = promises.spawnAgent(() => end.promise, { agentId: 'deaf' });
    await ks.admit({ agentId: 'deaf', taskId: 'deaf', ...adas });
    await ks.running('deaf', [deaf.handle]);
    const claimed = Promise.withResolvers<void>();
    ks.on('step', ({ step, agentId }) => {
      if (step === 'claimed' && agentId === 's1') claimed.resolve();
    });
    const stop = ks.emergencyStop({ principal: root, reason });
    await claimed.promise;
    letGo();
    expect(await (await starting).ended).toMatchObject({
      status: 'rejected',
      reason: { message: 'It was stopped before it began' },
    });
    const { outcomes } = await stop;
    expect(outcomes).toContainEqual(expect.objectContaining({ agentId: 's1', outcome: 'confirmed' }));
    expect(await sessions.get('s1')).toMatchObject({ status: 'killed', killedBy: 'root' });
    expect(events('agent.killed')).toMatchObject([{ agentId: 's1' }]);
    end.resolve();
    expect(hasBegun).toBe(false);
  },
);

it('a workspace that is undefined never means all sessions', async () => {
  const { sessions } = await harness();
  const task = held();
  await sessions.start('s1', adas, task.task);
  const given = { principal: root, reason, workspaceId: undefined } as never;
  await expect(sessions.killAll(given)).rejects.toMatchObject({ code: 'invalid-input' });
  expect((await sessions.get('s1'))?.status).toBe('running');
  task.end();
});

it('a checkpoint that cannot be read fails no listing: it is named, and its session is listed', async () => {
  const inner = memorySessions();
  const store: SessionStore = {
    ...inner,
    async list(page) {
      const { items } = await inner.list(page);
      const [third, second, first] = items;
      const bad = { ...second, checkpoint: { json: '{', savedAt: 1, number: 1 } } as SessionRecord;
      return {
        items: [third, bad].filter((each) => each !== undefined),
        damaged: [{ sessionId: first?.sessionId ?? '', fault: 'torn' }],
      };
    },
  };
  const { sessions } = await harness({}, { store });
  for (const id of ['s1', 's2', 's3']) await sessions.start(id, adas, heeding);
  const { items, damaged } = await sessions.list();
  expect(items.map(({ sessionId }) => sessionId)).toEqual(['s3', 's2', 's1']);
  expect(damaged).toEqual(['torn', expect.stringContaining('The checkpoint of session "s2" is not JSON')]);
  await sessions.killAll({ principal: root, reason });
});

it('a session whose stop is no longer in the state is listed without it', async () => {
  const state = memoryState();
  let isLost = false;
  const getOrder = state.getOrder.bind(state);
  state.getOrder = async (orderId) => (isLost ? undefined : getOrder(orderId));
  const { sessions } = await harness({ state });
  const { ended } = await sessions.start('s1', adas, heeding);
  await sessions.kill('s1', { principal: ada, reason });
  await ended;
  isLost = true;
  // From another host, which has no memory of it.
  const { sessions: elsewhere } = await harness({ state, hostId: 'host-2' });
  expect(await elsewhere.get('s1')).toMatchObject({ status: 'killed', killedAt: expect.any(Number) });
  expect(await elsewhere.get('s1')).not.toHaveProperty('killedBy');
});
