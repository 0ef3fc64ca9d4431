import { describe, expect, it } from 'vitest';
import { createKillswitch } from './create-killswitch.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { StateStore } from './ports/state-store.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const agent = { agentId: 'a', taskId: 't', workspaceId: 'w', ownerId: 'mia' };
const options = { hostId: 'host-1', runtimes: { memory: memoryRuntime() }, lastResort: () => undefined };

/** What the record says after an emergency stop, and a kill that is over. */
async function stopped() {
  const audit = memoryAudit();
  const ks = createKillswitch({ ...options, state: memoryState(), audit, clock: manualClock() });
  await ks.start();
  await ks.kill({ workspace: 'v' }, { principal: root, reason: 'a test' });
  await ks.emergencyStop({ principal: root, reason: 'a test' });
  await ks.close();
  return audit;
}

/** A host that starts with an empty state store. */
async function startOn(audit: AuditSink, state: StateStore = memoryState()) {
  const warnings: string[] = [];
  const ks = createKillswitch({ ...options, state, audit, clock: manualClock() });
  ks.on('warning', ({ message }) => warnings.push(message));
  await ks.start();
  const gates = (await ks.status()).gates.map(({ scope }) => scope);
  const admitted = await ks.admit(agent).then(
    () => 'admitted',
    (error: { code: string }) => error.code,
  );
  await ks.close();
  return { gates, admitted, warnings };
}

const failing = async function* (message: string): AsyncGenerator<never> {
  yield await Promise.reject(new Error(message));
};
const down = {
  append: () => Promise.reject(new Error('the sink is down')),
  read: () => failing('the sink is down'),
  heads: () => Promise.reject(new Error('the sink is down')),
} satisfies AuditSink;

describe('a start with a state store that has lost a stop (I1)', () => {
  it('puts it back from the record', async () => {
    const { gates, admitted } = await startOn(await stopped());
    expect({ gates, admitted }).toEqual({ gates: [{ everything: true }], admitted: 'gate-closed' });
  });

  it('puts it back from what this host has not delivered yet, while the rest cannot be read', async () => {
    const audit = await stopped();
    // With members of its own, as a class has.
    const journal = new (class {
      #audit = audit;
      append = audit.append;
      read = down.read;
      heads = down.heads;
      readUndelivered(query: Parameters<AuditSink['read']>[0]) {
        return this.#audit.read(query);
      }
    })();
    const { gates, admitted, warnings } = await startOn(journal);
    expect({ gates, admitted }).toEqual({ gates: [{ everything: true }], admitted: 'gate-closed' });
    expect(warnings[0]).toMatch(/only as far as it is on this host.*the sink is down/);
  });

  it('puts it back from the record if that was delivered under its hands', async () => {
    const audit = await stopped();
    let isDelivered = false;
    const journal: AuditSink = {
      ...down,
      read: (query) => (isDelivered ? audit.read(query) : down.read()),
      readUndelivered() {
        isDelivered = true;
        return failing('the file is gone');
      },
    };
    const { gates, admitted } = await startOn(journal);
    expect({ gates, admitted }).toEqual({ gates: [{ everything: true }], admitted: 'gate-closed' });
  });

  it('says so and starts if nothing of the record can be read', async () => {
    for (const sink of [down, { ...down, readUndelivered: down.read }]) {
      const { admitted, warnings } = await startOn(sink);
      expect(admitted).toBe('admitted');
      expect(warnings[0]).toMatch(/was not compared with the state store.*the sink is down/);
    }
  });

  it('I7: does not put back what has joined another order while this host looked', async () => {
    const audit = await stopped();
    const [requested] = audit
      .events()
      .filter(({ type }) => type === 'order.requested')
      .slice(-1);
    if (requested?.type !== 'order.requested') throw new Error('nothing was requested');
    const { id, opens: _, killAt: _k, forceAt: _f, deadlineAt: _d, ...rest } = requested;
    const joined = {
      ...rest,
      id: id.replace(/./u, '1'),
      type: 'order.joined' as const,
      joinedOrderId: 'ord_1',
    };
    const state = memoryState();
    const store = patchedStore(state, {
      getOrder: async (orderId) => {
        await audit.append([joined]);
        return state.getOrder(orderId);
      },
    });
    expect((await startOn(audit, store)).gates).toEqual([]);
  });
});

it('I9: a kill on the record of a host that never comes back, once joined to another by a start, is carried out by no later one', async () => {
  const clock = manualClock();
  const audit = memoryAudit();
  const state = memoryState();
  const link = flakyStore(state);
  const request = { principal: root, reason: 'drill', waitMs: 0 };
  const there = await harness({ state, audit, hostId: 'host-2', clock });
  const immortal = await there.agent('a1', { behaviour: 'immortal' });
  const gone = await harness({ state: link.state, audit, hostId: 'host-3', clock });
  link.reach = 'down';
  await gone.ks.kill({ workspace: 'w1' }, { ...request, reason: 'before it went' });
  await expect(gone.ks.close()).rejects.toMatchObject({ code: 'unsaved' });
  const { orderId } = await there.ks.kill({ workspace: 'w1' }, request);
  await clock.advance(20_000);
  const restart = async () => {
    const h = await harness({ state, audit, clock });
    await clock.advance(2_000);
    return h.ks;
  };
  const first = await restart();
  there.runtime.end(immortal);
  await clock.advance(5_000);
  expect(await first.order(orderId)).toMatchObject({ settledAt: expect.any(Number) });
  await first.close();
  const bystander = await there.agent('a2');
  await restart();
  expect(there.runtime.isAlive(bystander)).toBe(true);
  const joins = audit.events().flatMap((event) => (event.type === 'order.joined' ? event.joinedOrderId : []));
  expect(joins).toEqual([orderId]);
});
