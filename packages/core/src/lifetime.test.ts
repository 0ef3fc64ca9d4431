import { describe, expect, it } from 'vitest';
import { createKillswitch } from './create-killswitch.ts';
import { KillswitchError } from './errors.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { alice } from './testing/harness.ts';
import { machine } from './testing/machine.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: alice, reason: 'drill' };
const newcomer = { agentId: 'new', taskId: 'other', workspaceId: 'w1', ownerId: 'alice' };
const hang = () => new Promise<never>(() => undefined);
const hangingRead = async function* (): AsyncGenerator<never> {
  yield await hang();
};

/** A machine whose host died in the middle of a stop of `old`, and ran an agent of the task `other`, too. */
async function crashed() {
  const m = machine();
  const { ks, host } = await m.boot();
  const handles = { old: m.runtime.spawn(), other: m.runtime.spawn() };
  for (const task of ['old', 'other'] as const) {
    await ks.admit({ agentId: task, taskId: task, workspaceId: 'w1', ownerId: 'alice' });
    await ks.running(task, [handles[task]]);
  }
  ks.on('step', ({ step }) => {
    if (step === 'requested') host.dead = true;
  });
  void ks.kill({ task: 'old' }, request).catch(() => undefined);
  await m.clock.advance(1_000);
  expect(m.runtime.isAlive(handles.old)).toBe(true);
  return { ...m, handles };
}

/** Another host on the same store, which reaches nobody here. */
async function elsewhere({ state, clock }: ReturnType<typeof machine>) {
  const ks = createKillswitch({
    hostId: 'host-2',
    state,
    audit: memoryAudit(),
    runtimes: { memory: memoryRuntime() },
    clock,
  });
  await ks.start();
  return ks;
}

class StateLost extends KillswitchError {
  readonly code = 'state-lost';
}

/** What a promise has come to so far. */
function fate(promise: Promise<unknown>): { state: 'open' | 'kept' | 'broken' } {
  const seen: { state: 'open' | 'kept' | 'broken' } = { state: 'open' };
  promise.then(
    () => {
      seen.state = 'kept';
    },
    () => {
      seen.state = 'broken';
    },
  );
  return seen;
}

describe('a start', () => {
  it.each([
    ['its opening', { open: hang }],
    ['its reading', { read: hangingRead }],
  ])('I5: with a sink that hangs at %s keeps no stop waiting, old or new', async (_, broken) => {
    const m = await crashed();
    Object.assign(m.audit, broken);
    const starting = fate(m.boot());
    await m.clock.advance(1_000);
    expect(m.runtime.isAlive(m.handles.old)).toBe(false);
    const other = await elsewhere(m);
    void other.kill({ task: 'other' }, request);
    await m.clock.advance(2_000);
    expect(m.runtime.isAlive(m.handles.other)).toBe(false);
    expect(starting.state).toBe('open');
    // Nor is the host taken for silent meanwhile.
    await m.clock.advance(40_000);
    expect((await other.status()).lostHosts).toEqual([]);
    await other.close();
  });

  it('goes on without a sink that hangs at its opening, and lets nobody in until that is open', async () => {
    const m = await crashed();
    let setOpen = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      setOpen = resolve;
    });
    m.audit.open = () => opened;
    const booting = m.boot();
    await m.clock.advance(100_000);
    const { ks } = await booting;
    await expect(ks.admit(newcomer)).rejects.toMatchObject({ code: 'audit-unavailable' });
    expect(await ks.status()).toMatchObject({ auditDegraded: true });
    // What is put on record meanwhile waits, and nothing of the sink is used before it is open.
    expect(m.audit.events().filter(({ type }) => type === 'agent.killed')).toEqual([]);
    setOpen();
    await m.clock.advance(10_000);
    expect(m.audit.events().filter(({ type }) => type === 'agent.killed')).toHaveLength(1);
    expect(await ks.admit(newcomer)).toMatchObject({ status: 'spawning' });
    await ks.close();
  });

  it('I4: with nothing to put on record, too, a sink that opens late or at a later try is noticed', async () => {
    const m = machine();
    let tries = 0;
    m.audit.open = async () => {
      tries += 1;
      if (tries > 2) return;
      await new Promise<void>((resolve) => m.clock.setTimer(95_000, resolve));
      throw new Error('connection refused');
    };
    const booting = m.boot();
    await m.clock.advance(91_000);
    const { ks } = await booting;
    await expect(ks.admit(newcomer)).rejects.toMatchObject({ code: 'audit-unavailable' });
    await m.clock.advance(120_000);
    expect(await ks.admit(newcomer)).toMatchObject({ status: 'spawning' });
    expect(tries).toBe(3);
    await ks.close();
  });

  it('I5: is refused by a sink that refuses to open, follows the stops all the same, and can be tried again', async () => {
    const m = await crashed();
    let isRefusing = true;
    m.audit.open = async () => {
      if (isRefusing) throw new Error('the journal is locked');
    };
    const ks = createKillswitch({
      hostId: 'host-1',
      state: m.state,
      audit: m.audit,
      runtimes: { memory: m.runtime },
      clock: m.clock,
      lastResort: () => undefined,
    });
    await expect(ks.start()).rejects.toThrow('the journal is locked');
    await expect(ks.admit(newcomer)).rejects.toMatchObject({ code: 'not-started' });
    const other = await elsewhere(m);
    void other.kill({ task: 'other' }, request);
    await m.clock.advance(2_000);
    expect([m.handles.old, m.handles.other].filter((each) => m.runtime.isAlive(each))).toEqual([]);
    isRefusing = false;
    await ks.start();
    await m.clock.advance(10_000);
    expect((await m.state.listOpenOrders()).map(({ scope }) => scope)).toEqual([]);
    await ks.close();
    await other.close();
  });

  it('that hangs can be closed: nothing is followed any more', async () => {
    const m = await crashed();
    m.audit.open = hang;
    const ks = createKillswitch({
      hostId: 'host-1',
      state: m.state,
      audit: m.audit,
      runtimes: { memory: m.runtime },
      clock: m.clock,
      lastResort: () => undefined,
    });
    void ks.start();
    await m.clock.advance(100);
    const closing = fate(ks.close());
    await m.clock.advance(2_000);
    expect(closing.state).not.toBe('open');
    const other = await elsewhere(m);
    void other.kill({ task: 'other' }, request);
    await m.clock.advance(120_000);
    expect(m.runtime.isAlive(m.handles.other)).toBe(true);
    await other.close();
  });

  it('I1: that does not know all its agents yet puts nothing back into a store that has lost its state', async () => {
    const m = machine();
    let isReviewable = false;
    let rejoined = 0;
    const whileWhole = <T>(call: () => Promise<T>) => {
      if (!isReviewable) throw new StateLost('it came back empty');
      return call();
    };
    const state = patchedStore(m.state, {
      listAgents: async (key, page) => whileWhole(() => m.state.listAgents(key, page)),
      rejoin: async () => {
        rejoined += 1;
      },
    });
    const ks = createKillswitch({
      hostId: 'host-1',
      state,
      audit: m.audit,
      runtimes: { memory: m.runtime },
      clock: m.clock,
    });
    await expect(ks.start()).rejects.toMatchObject({ code: 'state-unavailable' });
    await m.clock.advance(5_000);
    expect(rejoined).toBe(0);
    isReviewable = true;
    await ks.start();
    isReviewable = false;
    await m.clock.advance(5_000);
    expect(rejoined).toBeGreaterThan(0);
    await ks.close();
  });
});
