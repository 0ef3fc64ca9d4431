import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { createKillswitch } from './create-killswitch.ts';
import { type GateClosedError, KillswitchError } from './errors.ts';
import type { Killswitch } from './killswitch.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root, stranger } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

/** As a store says that its state is gone. */
class StateLostError extends KillswitchError {
  readonly code = 'state-lost';
}

const request = { principal: root, reason: 'drill' };
const newcomer = { agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

it('I1: a spawn that is given up as it succeeds leaves nobody who no stop reaches', async () => {
  const h = await harness();
  await h.ks.admit(newcomer);
  const handle = h.runtime.spawn();
  await Promise.all([h.ks.failed('a1', 'spawn timed out'), h.ks.running('a1', [handle])]);
  await h.during(6_000, h.ks.kill({ everything: true }, request));
  expect(h.runtime.isAlive(handle)).toBe(false);
});

it('I2: whoever gets one more handle after their doubted end has ended when both are seen dead', async () => {
  const h = await harness();
  const one = await h.agent('a1');
  expect(await h.ks.completed('a1')).toBe(false);
  const two = h.runtime.spawn();
  await h.ks.running('a1', [two]);
  h.runtime.end(one);
  await h.clock.advance(60_000);
  expect((await h.ks.agent('a1')).status).toBe('running');
  h.runtime.end(two);
  await h.clock.advance(60_000);
  expect((await h.ks.agent('a1')).status).toBe('completed');
});

it('I1: a kill by a host whose clock is ahead has no grace on another', async () => {
  const state = memoryState();
  const b = await harness({ state, hostId: 'host-b' });
  const a = await harness({
    state,
    hostId: 'host-a',
    clock: { ...b.clock, now: () => b.clock.now() + 60_000 },
  });
  const handle = await b.agent('a1', { behaviour: 'cooperative' });
  const kill = a.ks.kill({ everything: true }, request);
  await b.clock.advance(2_000);
  expect(b.runtime.isAlive(handle)).toBe(false);
  await b.clock.advance(60_000);
  expect(await kill).toMatchObject({ settled: true });
});

it('I6: an agent that was admitted at the second try dies without the store', async () => {
  const link = flakyStore(memoryState());
  const h = await harness({ state: link.state });
  link.reach = 'down';
  await expect(h.ks.admit(newcomer)).rejects.toMatchObject({ code: 'state-unavailable' });
  link.reach = 'up';
  await h.clock.advance(5);
  await h.ks.admit(newcomer);
  const handle = h.runtime.spawn();
  link.reach = 'down';
  await h.ks.running('a1', [handle]).catch(() => undefined);
  await h.during(20_000, h.ks.emergencyStop(request));
  expect(h.runtime.isAlive(handle)).toBe(false);
});

it('I5: a store that takes for ever to be put back keeps no stop of another host waiting', async () => {
  const real = memoryState();
  let isLost = false;
  const clock = manualClock();
  const rejoin = (): Promise<never> => {
    isLost = false;
    return new Promise(() => undefined);
  };
  const state = new Proxy(real, {
    get(store, name) {
      if (name === 'rejoin') return rejoin;
      if (name === 'watch') return () => () => undefined;
      const member = Reflect.get(store, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) =>
        isLost ? Promise.reject(new StateLostError('lost')) : member.apply(store, given);
    },
  });
  const there = await harness({ state, hostId: 'host-b', clock });
  const asked = await harness({ state: real, hostId: 'host-a', clock });
  const handle = await there.agent('x');
  isLost = true;
  await clock.advance(5_000);
  expect([isLost, there.runtime.isAlive(handle)]).toEqual([false, true]);
  const kill = asked.ks.kill({ workspace: 'w1' }, request);
  await clock.advance(5_000);
  await kill;
  expect(there.runtime.isAlive(handle)).toBe(false);
});

it('I10: an answer to an admission that is none lets nobody in', async () => {
  const admit = async () => ({ result: 'busy' }) as never;
  const h = await harness({ state: patchedStore(memoryState(), { admit }) });
  await expect(h.ks.admit(newcomer)).rejects.toMatchObject({ code: 'state-unavailable' });
});

it.each(['kill', 'emergencyStop'] as const)(
  'I9: a %s that was asked for twice in an outage is not carried out again by the second start',
  async (kind) => {
    const clock = manualClock();
    const audit = memoryAudit();
    const real = memoryState();
    const link = flakyStore(real);
    const runtime = memoryRuntime();
    const first = await harness({ state: link.state, clock, audit, runtimes: { memory: runtime } });
    link.reach = 'down';
    for (const reason of ['first', 'second']) {
      const asked = { ...request, reason, waitMs: 0 };
      const stop =
        kind === 'kill' ? first.ks.kill({ workspace: 'w1' }, asked) : first.ks.emergencyStop(asked);
      await first.during(6_000, stop);
    }
    await clock.advance(1_000);
    await first.ks.close().catch(() => undefined);
    const start = async (): Promise<Killswitch> => {
      const ks = createKillswitch({
        ...{ hostId: 'host-1', state: real, audit, runtimes: { memory: runtime }, clock },
        lastResort: () => undefined,
      });
      const started = ks.start();
      await clock.advance(5_000);
      await started;
      return ks;
    };
    const second = await start();
    await clock.advance(10_000);
    if (kind === 'emergencyStop') {
      const release = second.release({ everything: true }, request);
      await clock.advance(1_000);
      expect((await release).released).toBe(true);
    }
    await second.admit({ ...newcomer, agentId: 'innocent' });
    const handle = runtime.spawn();
    await second.running('innocent', [handle]);
    await clock.advance(600_000);
    await second.close();
    const third = await start();
    await clock.advance(2_000);
    expect(runtime.isAlive(handle)).toBe(true);
    expect(await real.listOpenOrders()).toEqual([]);
    await third.close();
  },
);

it('I11: who catches a refusal holds a copy of the gate, not the stop that shut it', async () => {
  const link = flakyStore(memoryState());
  const h = await harness({ state: link.state });
  const bystander = await h.agent('a9', { workspace: 'w9' });
  link.reach = 'down';
  await h.during(6_000, h.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 }));
  const refusal = (await h.ks.admit(newcomer).catch((error: unknown) => error)) as GateClosedError;
  Object.assign(refusal.gate.scope, { workspace: 'w9' });
  Object.assign(refusal.gate.principal, { id: 'alice' });
  link.reach = 'up';
  await h.clock.advance(5_000);
  expect(h.runtime.isAlive(bystander)).toBe(true);
  expect(h.events('order.requested')).toMatchObject([{ principal: { id: 'root' } }]);
});

it.each(['hangs', 'answers after 20 ms'])(
  'I11: not even time tells a foreign id from an unknown one, while the sink %s',
  async (how) => {
    const real = memoryAudit();
    let isSlow = false;
    const audit = {
      ...real,
      append: async (events: readonly AuditEvent[]) => {
        if (isSlow) await new Promise<void>((resolve) => how !== 'hangs' && h.clock.setTimer(20, resolve));
        await real.append(events);
      },
    };
    const h = await harness({ audit });
    await h.agent('there');
    isSlow = true;
    const timed = async (work: () => Promise<unknown>) => {
      const since = h.clock.now();
      const said = (await h.during(500, work()).catch((error: unknown) => error)) as Error;
      return [h.clock.now() - since, said.message.replaceAll(/"[^"]*"/g, '…')];
    };
    const ids = ['there', 'nobody'];
    for (const ask of [
      (agent: string) => h.ks.kill({ agent }, { ...request, principal: stranger }),
      (agent: string) => h.ks.kill({ task: `task-${agent}` }, { ...request, principal: stranger }),
      (agent: string) => h.ks.preview({ agent }, stranger),
    ]) {
      const [foreign, unknown] = [
        await timed(() => ask(ids[0] as string)),
        await timed(() => ask(ids[1] as string)),
      ];
      expect(foreign).toEqual(unknown);
      expect(foreign[0]).toBeGreaterThan(0);
    }
  },
);
