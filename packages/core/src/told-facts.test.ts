import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { InvalidInputError } from './errors.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { admin, alice, harness, root, stranger } from './testing/harness.ts';

it('tells every fact that goes on record, once, as it is on record', async () => {
  const { ks, agent, audit, during, clock } = await harness();
  const told: AuditEvent[] = [];
  ks.on('audit', ({ event }) => told.push(event));
  await agent('a1');
  await agent('a2', { behaviour: 'stubborn' });
  await agent('a3', { behaviour: 'immortal' });
  await ks.kill({ task: 'task-a1' }, { principal: stranger, reason: 'mischief' }).catch(() => undefined);
  const kills = [
    ks.kill({ task: 'task-a1' }, { principal: alice, reason: 'it went rogue' }),
    ks.kill({ workspace: 'w1' }, { principal: admin, reason: 'all of it', hold: true }),
    ks.kill({ workspace: 'w1' }, { principal: admin, reason: 'pressed again', hold: true }),
  ];
  await during(6_000, Promise.all(kills));
  await ks.release({ workspace: 'w1' }, { principal: root, reason: 'over' }).catch(() => undefined);
  await clock.advance(1_000);
  expect(told).toEqual(audit.events());
  expect(new Set(told.map(({ type }) => type))).toEqual(
    new Set([
      'request.denied',
      'order.requested',
      'order.joined',
      'agent.killed',
      'agent.unconfirmed',
      'order.settled',
      'release.requested',
      'gate.released',
    ]),
  );
});

it('tells facts while the audit sink is down, and what it holds of them (I5)', async () => {
  const sink = memoryAudit();
  let isDown = true;
  const append = async (batch: readonly AuditEvent[]): Promise<void> => {
    if (isDown) throw new Error('down');
    await sink.append(batch);
  };
  const { ks, agent, clock, during } = await harness({ audit: { ...sink, append } });
  isDown = false;
  await agent('a1');
  isDown = true;
  const told: string[] = [];
  ks.on('audit', ({ event }) => told.push(event.type));
  await during(6_000, ks.kill({ task: 'task-a1' }, { principal: alice, reason: 'it went rogue' }));
  expect(told).toEqual(expect.arrayContaining(['order.requested', 'agent.killed']));
  await clock.advance(2_000);
  const held = ks.unsaved();
  expect(held).toMatchObject({ auditEvents: told.length, auditDegraded: true, orders: 0, agents: 0 });
  expect(held.auditLagMs).toBeGreaterThanOrEqual(2_000);
  isDown = false;
  await clock.advance(6_000);
  expect(ks.unsaved()).toEqual({ orders: 0, agents: 0, auditEvents: 0, auditLagMs: 0, auditDegraded: false });
});

it('says which stops and deaths the state store has not taken', async () => {
  const link = flakyStore(memoryState());
  const { ks, agent, during, clock } = await harness({ state: link.state });
  await agent('a1');
  link.reach = 'down';
  await during(6_000, ks.kill({ task: 'task-a1' }, { principal: alice, reason: 'it went rogue' }));
  expect(ks.unsaved()).toMatchObject({ orders: 1, agents: 1 });
  link.reach = 'up';
  await clock.advance(5_000);
  expect(ks.unsaved()).toMatchObject({ orders: 0, agents: 0, auditEvents: 0 });
});

it('tells what stands on record in place of an event that the sink refuses (I4)', async () => {
  const sink = memoryAudit();
  const append = async (batch: readonly AuditEvent[]): Promise<void> => {
    if (batch.some(({ type }) => type === 'agent.killed')) throw new InvalidInputError('event', ['too long']);
    await sink.append(batch);
  };
  const { ks, agent, during } = await harness({ audit: { ...sink, append } });
  await agent('a1');
  const told: AuditEvent[] = [];
  ks.on('audit', ({ event }) => told.push(event));
  await during(6_000, ks.kill({ task: 'task-a1' }, { principal: alice, reason: 'it went rogue' }));
  const standIns = sink.events().filter(({ type }) => type === 'audit.event-refused');
  expect(standIns).toHaveLength(1);
  expect(told).toEqual(expect.arrayContaining(standIns));
});

it('says which of the facts that it tells are copies of what another host was asked for', async () => {
  const state = memoryState();
  const { ks, clock, during } = await harness({ state });
  const other = await harness({ state, clock, hostId: 'host-2' });
  const told: [string, boolean][] = [];
  for (const each of [ks, other.ks]) each.on('audit', ({ event, isCopy }) => told.push([event.type, isCopy]));
  await during(6_000, ks.emergencyStop({ principal: root, reason: 'drill' }));
  await clock.advance(2_000);
  expect(told.toSorted()).toEqual([
    ['order.requested', false],
    ['order.requested', true],
    ['order.settled', false],
  ]);
});
