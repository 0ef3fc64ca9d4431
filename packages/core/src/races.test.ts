import { describe, expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

type Call = (...args: never[]) => Promise<unknown>;

/** A store some of whose calls behave otherwise than they should, as long as `turn` says so. */
function turned(real: StateStore, name: keyof StateStore, turn: (call: Call) => Call): StateStore {
  return new Proxy(real, {
    get: (target, each: keyof StateStore) => {
      if (target[each] === undefined) return undefined;
      const call = (target[each] as Call).bind(target);
      return each === name ? turn(call) : call;
    },
  });
}

/** Stores what it is given, and says so to nobody as long as it is silent. */
function silence(name: keyof StateStore) {
  const link = { isSilent: false };
  const turn =
    (call: Call): Call =>
    async (...args) => {
      const answer = await call(...args);
      if (link.isSilent) throw new Error('connection reset');
      return answer;
    };
  return { link, on: (real: StateStore) => turned(real, name, turn) };
}

describe('several hosts', () => {
  it('I1: a host that is late kills nobody who came after the order had settled', async () => {
    const state = memoryState();
    const held: Array<() => void> = [];
    let isLate = false;
    const late = turned(state, 'listAgents', (call) => async (...args) => {
      if (isLate && String(args[0]) === 'everything')
        await new Promise<void>((resolve) => held.push(resolve));
      return call(...args);
    });
    const a = await harness({ state });
    const b = await harness({ state: late, hostId: 'host-2', clock: a.clock });
    await a.agent('a1', { behaviour: 'stubborn' });
    const kill = a.ks.kill({ everything: true }, request);
    await a.clock.advance(1_800);
    isLate = true;
    expect(await a.during(500, kill)).toMatchObject({ settled: true });
    while (held.length === 0) await a.clock.advance(10);
    isLate = false;
    const handle = await a.agent('a2');
    for (const release of held) release();
    await a.clock.advance(3_000);
    expect(a.runtime.isAlive(handle)).toBe(true);
    expect((await b.ks.agent('a2')).status).toBe('running');
  });

  it('I9: an agent whose admission was never answered is not counted to a stop whose gate had opened before it', async () => {
    const state = memoryState();
    const admitting = silence('admit');
    const isBlind = { toEverything: false };
    const cut = turned(admitting.on(state), 'listAgents', (call) => async (...args) => {
      if (isBlind.toEverything && String(args[0]) === 'everything') throw new Error('connection refused');
      return call(...args);
    });
    const a = await harness({ state });
    const b = await harness({ state: cut, hostId: 'host-2', clock: a.clock, audit: a.audit });
    isBlind.toEverything = true;
    // It ends while the other host cannot look through its scope, and so does not hear of the end.
    await a.agent('a1', { behaviour: 'stubborn' });
    expect(await a.during(3_000, a.ks.kill({ everything: true }, request))).toMatchObject({ settled: true });
    admitting.link.isSilent = true;
    const newcomer = { agentId: 'b1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };
    await expect(b.ks.admit(newcomer)).rejects.toMatchObject({ code: 'state-unavailable' });
    const report = await a.during(6_000, b.ks.kill({ task: 't' }, request));
    isBlind.toEverything = false;
    await a.clock.advance(3_000);
    expect(await state.getAgent('b1')).toMatchObject({
      status: 'killed',
      kill: { orderIds: [report.orderId] },
    });
  });

  it('I4: the death that a host saw and could not put on record before it died is told by the owner of the order', async () => {
    const state = memoryState();
    const a = await harness({ state });
    const silent = { append: () => new Promise<never>(() => undefined) };
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: { ...a.audit, ...silent } });
    await b.agent('b1', { task: 't' });
    const report = await a.during(3_000, a.ks.kill({ task: 't' }, request));
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(a.events('agent.killed')).toMatchObject([{ agentId: 'b1', orderId: report.orderId }]);
  });

  it('I4: one kill is one event, also if two hosts claimed the agent at different times, one without the store', async () => {
    const state = memoryState();
    const a = await harness({ state });
    let isDown = false;
    const cut = new Proxy(state, {
      get: (target, name: keyof StateStore) => {
        if (target[name] === undefined) return undefined;
        const call = (target[name] as Call).bind(target);
        return async (...args: never[]) => {
          if (isDown) throw new Error('connection refused');
          return call(...args);
        };
      },
    });
    const b = await harness({
      state: new Proxy(cut, {
        get: (target, name: keyof StateStore) => (name === 'watch' ? state.watch.bind(state) : target[name]),
      }),
      hostId: 'host-2',
      clock: a.clock,
      audit: a.audit,
    });
    await b.agent('b1', { task: 't', behaviour: 'stubborn' });
    isDown = true;
    const here = a.ks.kill({ task: 't' }, request);
    await a.clock.advance(700);
    const there = b.ks.kill({ everything: true }, request);
    await a.clock.advance(4_000);
    isDown = false;
    await a.during(6_000, Promise.all([here, there]));
    await a.clock.advance(6_000);
    expect((await state.getAgent('b1'))?.status).toBe('killed');
    expect(await state.listOpenOrders()).toEqual([]);
    expect(a.events('agent.killed')).toHaveLength(1);
  });

  it('an order that was stored without an answer, and that another host has settled, is over', async () => {
    const [placing, reading] = [silence('placeOrder'), silence('getOrder')];
    const state = memoryState();
    const a = await harness({ state: reading.on(placing.on(state)) });
    placing.link.isSilent = true;
    reading.link.isSilent = true;
    const kill = a.ks.kill({ everything: true }, request);
    await a.clock.advance(200);
    const [order] = await state.listOpenOrders();
    await state.swapOrder({ ...order!, revision: order!.revision + 1, settledAt: a.clock.now() });
    placing.link.isSilent = false;
    reading.link.isSilent = false;
    await a.during(5_000, kill);
    await a.agent('a1');
  });
});

it('I9: who comes after the gate has opened, while a stop that had joined is put on record, is not killed by it', async () => {
  const state = memoryState();
  const cut = { isBlind: false };
  const a = await harness({ state });
  const b = await harness({
    state: turned(state, 'listAgents', (call) => async (...args) => {
      if (cut.isBlind) throw new Error('connection refused');
      return call(...args);
    }),
    hostId: 'host-2',
    clock: a.clock,
    audit: hungAudit,
  });
  await a.agent('a1', { behaviour: 'stubborn' });
  const first = a.ks.kill({ backend: 'local' }, request);
  await a.clock.advance(1_990);
  const joining = b.ks.kill({ backend: 'local' }, request);
  expect(await a.during(50, first)).toMatchObject({ settled: true });
  await a.clock.advance(20);
  cut.isBlind = true;
  const handle = await b.agent('b1');
  await a.clock.advance(500);
  expect(b.runtime.isAlive(handle)).toBe(true);
  cut.isBlind = false;
  await a.during(6_000, joining);
  expect(b.runtime.isAlive(handle)).toBe(true);
});

it('I6: a handle that the store was taking while the agent was claimed without it is killed', async () => {
  const state = memoryState();
  const cut = { isOn: false };
  let release = (): void => undefined;
  const refuse = async (): Promise<never> => {
    throw new Error('connection refused');
  };
  const h = await harness({
    state: new Proxy(state, {
      get: (target, name: keyof StateStore) => {
        if (target[name] === undefined) return undefined;
        const call = (target[name] as Call).bind(target);
        if (name === 'watch') return call;
        if (name !== 'swapAgents') return (...args: never[]) => (cut.isOn ? refuse() : call(...args));
        return async (...args: never[]) => {
          if (cut.isOn) return refuse();
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          return call(...args);
        };
      },
    }),
  });
  await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  const handle = h.runtime.spawn();
  const running = h.ks.running('a1', [handle]);
  await h.clock.advance(10);
  cut.isOn = true;
  const kill = h.ks.kill({ everything: true }, request);
  await h.clock.advance(200);
  release();
  expect(await running).toMatchObject({ status: 'killing' });
  await h.clock.advance(200);
  expect(h.runtime.isAlive(handle)).toBe(false);
  cut.isOn = false;
  const later = h.during(6_000, kill);
  for (let i = 0; i < 100; i++) {
    await h.clock.advance(50);
    release();
  }
  expect(await later).toMatchObject({ settled: true, killed: 1 });
});

describe('a release while somebody is not confirmed dead', () => {
  const unconfirmed = async () => {
    const h = await harness();
    const zombie = await h.agent('zombie', { behaviour: 'immortal' });
    const stop = h.ks.emergencyStop(request);
    await h.during(6_000, stop);
    await h.ks.release({ everything: true }, request);
    return { h, zombie };
  };

  it('I9: lets others in, whom the old stop leaves alone', async () => {
    const { h, zombie } = await unconfirmed();
    const handle = await h.agent('a1');
    await h.clock.advance(5_000);
    expect(h.runtime.isAlive(handle)).toBe(true);
    expect((await h.ks.agent('a1')).status).toBe('running');
    h.runtime.end(zombie);
    await h.clock.advance(5_000);
    expect((await h.ks.agent('zombie')).status).toBe('killed');
    expect((await h.ks.status()).openOrders).toEqual([]);
    expect(h.runtime.isAlive(handle)).toBe(true);
  });

  it('I1: a new emergency stop latches anew', async () => {
    const { h } = await unconfirmed();
    const handle = await h.agent('a1');
    await h.during(6_000, h.ks.emergencyStop({ ...request, reason: 'again' }));
    expect(h.runtime.isAlive(handle)).toBe(false);
    await expect(h.agent('a2')).rejects.toMatchObject({ code: 'gate-closed', gate: { reason: 'again' } });
  });
});

describe('a release while the sweep is still going on', () => {
  it('I1: everybody who was there when the gate shut still dies', async () => {
    const state = memoryState();
    const held: Array<() => void> = [];
    let isSlow = false;
    const slow = turned(state, 'listAgents', (real) => async (...args) => {
      if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
      return real(...args);
    });
    const a = await harness({ state: slow });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock, audit: a.audit });
    const handle = await a.agent('a1');
    isSlow = true;
    const stop = a.ks.emergencyStop(request);
    await a.clock.advance(10);
    expect(held).toHaveLength(1);
    await a.during(1_000, b.ks.release({ everything: true }, request));
    const newcomer = await b.agent('b1');
    isSlow = false;
    for (const release of held) release();
    const report = await a.during(6_000, stop);
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(a.runtime.isAlive(handle)).toBe(false);
    expect(b.runtime.isAlive(newcomer)).toBe(true);
  });

  it('I9: whoever stops again before the gate is open keeps it shut', async () => {
    const state = memoryState();
    let onListing: (() => Promise<unknown>) | undefined;
    const watched = turned(state, 'listAgents', (real) => async (...args) => {
      const listed = onListing;
      onListing = undefined;
      await listed?.();
      return real(...args);
    });
    const a = await harness({ state });
    const b = await harness({ state: watched, hostId: 'host-2', clock: a.clock, audit: a.audit });
    await a.agent('zombie', { behaviour: 'immortal' });
    await a.during(6_000, a.ks.emergencyStop(request));
    let again: Promise<unknown> | undefined;
    onListing = () =>
      new Promise<void>((resolve) => {
        a.ks.on('step', ({ step }) => step === 'requested' && resolve());
        again = a.ks.emergencyStop({ ...request, reason: 'again' });
      });
    await expect(a.during(1_000, b.ks.release({ everything: true }, request))).rejects.toMatchObject({
      code: 'stopped-again',
    });
    await expect(a.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
    await a.during(6_000, again!);
  });
});

it('a stop that is not in the state store yet cannot be released, and no release is put on record', async () => {
  const state = memoryState();
  const isDown = { placing: true };
  const half = turned(state, 'placeOrder', (call) => async (...args) => {
    if (isDown.placing) throw new Error('disk full');
    return call(...args);
  });
  const a = await harness({ state: half });
  const stop = a.ks.emergencyStop(request);
  await a.during(6_000, stop);
  await expect(a.ks.release({ everything: true }, request)).rejects.toMatchObject({
    code: 'state-unavailable',
  });
  expect(a.events('gate.released')).toEqual([]);
  isDown.placing = false;
  await a.clock.advance(5_000);
  await expect(a.agent('a1')).rejects.toMatchObject({ code: 'gate-closed' });
  expect(await a.ks.release({ everything: true }, request)).toMatchObject({ released: true });
  await a.agent('a1');
  expect(a.events('gate.released')).toHaveLength(1);
  expect(await a.ks.release({ everything: true }, request)).toMatchObject({ gates: [] });
  expect(a.events('gate.released')).toHaveLength(1);
});

it('I4: a release that opens its gates without an answer is put on record when the store answers again', async () => {
  const { link, on } = silence('release');
  const a = await harness({ state: on(memoryState()) });
  await a.during(100, a.ks.emergencyStop(request));
  link.isSilent = true;
  await expect(a.ks.release({ everything: true }, request)).rejects.toMatchObject({
    code: 'state-unavailable',
  });
  link.isSilent = false;
  await a.clock.advance(5_000);
  expect((await a.ks.status()).gates).toEqual([]);
  expect(a.events('gate.released')).toHaveLength(1);
});

it('I1: a report that could not be completed says so, and never passes for an empty scope', async () => {
  const state = memoryState();
  const mute = turned(state, 'listOrder', () => async () => Promise.reject(new Error('connection refused')));
  const a = await harness({ state: mute });
  const b = await harness({ state, hostId: 'host-2', clock: a.clock });
  await b.agent('b1', { task: 't', behaviour: 'immortal' });
  const { orderId } = await a.during(5_500, a.ks.kill({ task: 't' }, request));
  expect((await a.ks.report(orderId)).errors[0]).toContain('Not every agent in scope could be looked at');
});

it('I1: a report does not call itself blind because a record fails after everybody was looked at', async () => {
  const a = await harness();
  await a.agent('a1', { task: 't', behaviour: 'immortal' });
  const { orderId } = await a.during(6_000, a.ks.kill({ task: 't' }, request));
  await a.ks.close();
  const read = async function* (): AsyncGenerator<never> {
    yield* [];
    throw new Error('disk failure');
  };
  const { state, clock, audit, runtime } = a;
  const again = await harness({ state, clock, runtimes: { memory: runtime }, audit: { ...audit, read } });
  await clock.advance(2_000);
  const { errors } = await again.ks.report(orderId);
  expect(errors).toEqual([expect.stringContaining('"a1" is not confirmed dead')]);
});

describe('on record', () => {
  it('I4: an agent that was claimed before it had a handle, and then never started, is killed', async () => {
    const h = await harness();
    await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const kill = h.ks.kill({ task: 't' }, request);
    await h.clock.advance(100);
    await h.ks.failed('a1', new Error('no room'));
    const report = await h.during(3_000, kill);
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(h.events('agent.killed')).toMatchObject([{ agentId: 'a1', orderId: report.orderId }]);
  });

  it('I7: an order that was stored without an answer does not join itself', async () => {
    const { link, on } = silence('placeOrder');
    const h = await harness({ state: on(memoryState()) });
    link.isSilent = true;
    const kill = h.ks.kill({ everything: true }, request);
    await h.clock.advance(200);
    link.isSilent = false;
    expect(await h.during(5_000, kill)).toMatchObject({ settled: true });
    expect(h.events('order.requested')).toHaveLength(1);
    expect(h.events('order.joined')).toEqual([]);
  });

  it('I4: what somebody was told is on the last resort at the latest when the record was given up waiting for', async () => {
    const h = await harness({ audit: hungAudit });
    const nobody = { ...root, id: 'nobody', grants: [] };
    const kill = h.ks.kill({ everything: true }, { ...request, principal: nobody });
    await expect(h.during(150, kill)).rejects.toMatchObject({ code: 'forbidden' });
    expect(h.lines.map((line) => JSON.parse(line).type)).toEqual(['request.denied']);
  });

  it('I4: a cleanup whose result is not on record when its host closes is still to do', async () => {
    const step = { name: 'worktree', appliesTo: () => true, run: async () => undefined };
    const h = await harness({ audit: hungAudit, cleanup: [step] });
    const handle = await h.agent('a1');
    h.runtime.end(handle);
    await h.ks.completed('a1');
    await h.clock.advance(50);
    await expect(h.during(3_000, h.ks.close())).rejects.toMatchObject({ code: 'unsaved' });
    await h.clock.advance(2_000);
    expect((await h.state.getAgent('a1'))?.ledger).toMatchObject([{ status: 'pending' }]);
  });

  it('I4: what comes after the close is on the last resort', async () => {
    const h = await harness();
    await h.ks.close();
    const nobody = { ...root, id: 'nobody', grants: [] };
    const kill = h.ks.kill({ everything: true }, { ...request, principal: nobody });
    await expect(h.during(500, kill)).rejects.toMatchObject({ code: 'forbidden' });
    expect(h.lines.map((line) => JSON.parse(line).type)).toEqual(['request.denied']);
  });
});

const hungAudit = {
  append: () => new Promise<never>(() => undefined),
  read: async function* () {},
  heads: async () => [],
};
