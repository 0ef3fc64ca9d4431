import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { createKillswitch } from './create-killswitch.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { StateStore } from './ports/state-store.ts';
import { harness, root } from './testing/harness.ts';
import { mortal } from './testing/machine.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

it('I7: a record never shows who joined as somebody who did not: both facts arrive in one batch', async () => {
  const state = memoryState();
  const first = await harness({ state });
  await first.agent('a1', { behaviour: 'immortal' });
  await first.during(200, first.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 }));
  const batches: string[][] = [];
  const audit = {
    append: async (events: readonly AuditEvent[]) => void batches.push(events.map(({ type }) => type)),
    async *read() {},
    heads: async () => [],
  } satisfies AuditSink;
  const second = await harness({ state, audit, hostId: 'host-2', clock: first.clock });
  await second.during(200, second.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 }));
  expect(batches).toContainEqual(['order.requested', 'order.joined']);
});

it('I4: who has ended the grace of another host’s stop is on record although their host died right then, and is put back by none', async () => {
  const state = memoryState();
  const audit = memoryAudit();
  const owner = await harness({ state, audit });
  const { clock } = owner;
  const machine = { dead: false };
  const dies: StateStore['swapOrder'] = async (order) => {
    const won = await state.swapOrder(order);
    if (won) machine.dead = true;
    return won;
  };
  const options = { hostId: 'host-2', runtimes: {}, clock, lastResort: () => undefined };
  const joiner = createKillswitch({
    ...options,
    state: mortal(patchedStore(state, { swapOrder: dies }), machine),
    audit: mortal(audit, machine),
  });
  await joiner.start();
  const handle = await owner.agent('a1');
  const stop = owner.ks.stop(
    { workspace: 'w1' },
    { principal: root, reason: 'maintenance', graceMs: 3_600_000 },
  );
  await clock.advance(1_000);
  void joiner.kill({ workspace: 'w1' }, { principal: { ...root, id: 'eve' }, reason: 'now' });
  await clock.advance(10_000);
  expect(machine.dead).toBe(true);
  expect(owner.runtime.isAlive(handle)).toBe(false);
  const { orderId } = await stop;
  const told = () =>
    audit.events().flatMap((event) => {
      if (event.type === 'order.joined') return [[event.type, event.principal.id, event.joinedOrderId]];
      return event.type === 'order.requested' ? [[event.type, event.principal.id, event.reason]] : [];
    });
  const facts = [
    ['order.requested', 'root', 'maintenance'],
    ['order.requested', 'eve', 'now'],
    ['order.joined', 'eve', orderId],
  ];
  expect(told()).toEqual(facts);
  const bystander = await owner.agent('a2');
  await harness({ state, audit, hostId: 'host-2', clock });
  await clock.advance(5_000);
  expect(told()).toEqual(facts);
  expect(owner.runtime.isAlive(bystander)).toBe(true);
});
