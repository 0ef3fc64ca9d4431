import { describe, expect, it } from 'vitest';
import type { StopStep } from './events.ts';
import { alice, root } from './testing/harness.ts';
import { machine } from './testing/machine.ts';

const reason = 'it went rogue';

const steps: StopStep[] = [
  'placed',
  'requested',
  'claimed',
  'signalled',
  'forced',
  'confirmed',
  'cleaned',
  'settled',
];

describe('recovery', () => {
  it('I5: a record that hangs at the start keeps no open order waiting', async () => {
    const { clock, audit, runtime, boot } = machine();
    const { ks, host } = await boot();
    const handle = runtime.spawn('cooperative');
    await ks.admit({ agentId: 'a1', taskId: 't1', workspaceId: 'w1', ownerId: 'alice' });
    await ks.running('a1', [handle]);
    ks.on('step', ({ step }) => {
      if (step === 'requested') host.dead = true;
    });
    void ks.kill({ task: 't1' }, { principal: alice, reason }).catch(() => undefined);
    await clock.advance(1_000);
    expect(runtime.isAlive(handle)).toBe(true);
    const { read } = audit;
    audit.read = async function* () {
      await new Promise(() => undefined);
      yield* [];
    };
    let isStarted = false;
    const starting = boot().then((next) => {
      isStarted = true;
      return next;
    });
    await clock.advance(1_000);
    expect([isStarted, runtime.isAlive(handle)]).toEqual([false, false]);
    audit.read = read;
    await clock.advance(200_000);
    await (await starting).ks.close();
  });

  it.each(steps)(
    'I4: a host that dies right after "%s" settles the order after its restart, everything on record once',
    async (at) => {
      const m = machine();
      const first = await m.boot();
      const handles = [];
      for (const agentId of ['a1', 'a2', 'a3']) {
        await first.ks.admit({ agentId, taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
        const handle = m.runtime.spawn('stubborn');
        handles.push(handle);
        await first.ks.running(agentId, [handle]);
      }
      let crashedAt: number | undefined;
      first.ks.on('step', ({ step }) => {
        if (step !== at || first.host.dead) return;
        first.host.dead = true;
        crashedAt = m.clock.now();
      });
      first.ks.kill({ task: 't' }, { principal: alice, reason }).catch(() => undefined);
      await m.clock.advance(2_500);
      expect(crashedAt).toBeDefined();

      const second = await m.boot();
      await m.clock.advance(5_000);
      expect(handles.filter((handle) => m.runtime.isAlive(handle))).toEqual([]);
      for (const agentId of ['a1', 'a2', 'a3'])
        expect((await second.ks.agent(agentId)).status).toBe('killed');
      expect(await m.state.listOpenOrders()).toEqual([]);
      const types = m.audit.events().map((event) => event.type);
      expect(types.filter((type) => type !== 'cleanup.finished').sort()).toEqual([
        'agent.killed',
        'agent.killed',
        'agent.killed',
        'order.requested',
        'order.settled',
      ]);
      expect(types.filter((type) => type === 'cleanup.finished')).toHaveLength(3);
      expect(new Set(m.cleaned)).toEqual(new Set(['a1', 'a2', 'a3']));
      await expect(
        second.ks.admit({ agentId: 'a4', taskId: 't', workspaceId: 'w1', ownerId: 'alice' }),
      ).rejects.toMatchObject({ code: 'gate-closed' });
    },
  );

  it('keeps the original deadline: what came due while the host was down is due at once', async () => {
    const m = machine();
    const first = await m.boot();
    await first.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const handle = m.runtime.spawn('stubborn');
    await first.ks.running('a1', [handle]);
    first.ks.on('step', ({ step }) => {
      if (step === 'claimed') first.host.dead = true;
    });
    first.ks.kill({ task: 't' }, { principal: alice, reason }).catch(() => undefined);
    await m.clock.advance(1_990);
    expect(m.runtime.isAlive(handle)).toBe(true);
    await m.boot();
    await m.clock.advance(50);
    expect(m.runtime.isAlive(handle)).toBe(false);
  });

  it('I5: kills on after a restart while the audit record cannot be read, and settles when it can', async () => {
    const m = machine();
    const first = await m.boot();
    await first.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const handle = m.runtime.spawn();
    await first.ks.running('a1', [handle]);
    first.ks.on('step', ({ step }) => {
      if (step === 'claimed') first.host.dead = true;
    });
    first.ks.kill({ task: 't' }, { principal: alice, reason }).catch(() => undefined);
    await m.clock.advance(100);
    let isReadable = false;
    const { read } = m.audit;
    m.audit.read = (query) => {
      if (!isReadable) throw new Error('disk error');
      return read(query);
    };
    const again = m.boot();
    await m.clock.advance(3_000);
    const second = await again;
    expect(m.runtime.isAlive(handle)).toBe(false);
    expect((await second.ks.agent('a1')).status).toBe('killed');
    expect(await m.state.listOpenOrders()).toHaveLength(1);
    isReadable = true;
    await m.clock.advance(3_000);
    expect(await m.state.listOpenOrders()).toEqual([]);
    const types = m.audit.events().map((event) => event.type);
    expect(types.filter((type) => type === 'agent.killed')).toHaveLength(1);
    expect(types.filter((type) => type === 'order.settled')).toHaveLength(1);
  });

  it('an emergency stop stays latched over a restart', async () => {
    const m = machine();
    const first = await m.boot();
    const stop = first.ks.emergencyStop({ principal: root, reason });
    await m.clock.advance(200);
    expect(await stop).toMatchObject({ settled: true });
    first.host.dead = true;
    const second = await m.boot();
    await expect(
      second.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' }),
    ).rejects.toMatchObject({ code: 'gate-closed' });
    await second.ks.release({ everything: true }, { principal: root, reason: 'all clear' });
    await second.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  });

  it.each(['stubborn', 'immortal'] as const)(
    'I4: a host that dies right after it has opened a gate tells of it at its next start, once (%s agent)',
    async (behaviour) => {
      const m = machine();
      const first = await m.boot();
      await first.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
      await first.ks.running('a1', [m.runtime.spawn(behaviour)]);
      const stop = first.ks.emergencyStop({ principal: root, reason });
      await m.clock.advance(6_000);
      const { orderId } = await stop;
      const release = m.state.release.bind(m.state);
      m.state.release = async (orderIds) => {
        first.host.dead = true;
        return release(orderIds);
      };
      const cutOff = first.ks.release({ everything: true }, { principal: root, reason: 'all clear' });
      cutOff.catch(() => undefined);
      await m.clock.advance(10);
      expect(await m.state.listGates()).toEqual([]);
      expect(m.audit.events().filter(({ type }) => type === 'gate.released')).toEqual([]);
      for (let life = 0; life < 2; life++) {
        const next = await m.boot();
        await m.clock.advance(1_000);
        expect(m.audit.events().filter(({ type }) => type === 'gate.released')).toMatchObject([
          {
            orderIds: [orderId],
            reason: 'all clear',
            principal: { id: 'root' },
            approvedBy: [{ id: 'root' }],
          },
        ]);
        next.host.dead = true;
      }
    },
  );

  it('a host that dies right before it opens a gate leaves it shut, and says of no release', async () => {
    const m = machine();
    const first = await m.boot();
    const stop = first.ks.emergencyStop({ principal: root, reason });
    await m.clock.advance(200);
    await stop;
    const release = m.state.release.bind(m.state);
    m.state.release = () => {
      first.host.dead = true;
      return new Promise(() => undefined);
    };
    const cutOff = first.ks.release({ everything: true }, { principal: root, reason: 'all clear' });
    cutOff.catch(() => undefined);
    await m.clock.advance(10);
    m.state.release = release;
    const second = await m.boot();
    expect((await second.ks.status()).gates).toHaveLength(1);
    await m.clock.advance(1_000);
    expect(m.audit.events().filter(({ type }) => type === 'gate.released')).toEqual([]);
    expect(
      await second.ks.release({ everything: true }, { principal: root, reason: 'really' }),
    ).toMatchObject({
      released: true,
    });
    expect(m.audit.events().filter(({ type }) => type === 'gate.released')).toMatchObject([
      { reason: 'really' },
    ]);
  });

  it('agents that ended while their host was down are failed at its start, the others can be killed', async () => {
    const m = machine();
    const first = await m.boot();
    for (const agentId of ['gone', 'alive', 'never-started'])
      await first.ks.admit({ agentId, taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const gone = m.runtime.spawn();
    const alive = m.runtime.spawn();
    await first.ks.running('gone', [gone]);
    await first.ks.running('alive', [alive]);
    first.host.dead = true;
    m.runtime.end(gone);
    await m.clock.advance(1_000);
    const second = await m.boot();
    expect(await second.ks.agent('gone')).toMatchObject({ status: 'failed' });
    expect(await second.ks.agent('never-started')).toMatchObject({ status: 'failed' });
    expect(await second.ks.agent('alive')).toMatchObject({ status: 'running' });
    const kill = second.ks.kill({ task: 't' }, { principal: alice, reason });
    await m.clock.advance(200);
    expect(await kill).toMatchObject({ settled: true, total: 1, killed: 1 });
    expect(m.runtime.isAlive(alive)).toBe(false);
  });
});
