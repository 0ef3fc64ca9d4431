import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { gateReleased, orderJoined, orderRequested, orderSettled } from './audit-facts.ts';
import type { StopOrder } from './order.ts';
import { recall } from './recall.ts';

const principal = { id: 'root', kind: 'user' } as const;
const order = (orderId: string, opens: StopOrder['opens']): StopOrder => ({
  orderId,
  revision: 0,
  hostId: 'h',
  scope: { everything: true },
  opens,
  principal,
  reason: 'drill',
  policyVersion: 'p',
  requestedAt: 1,
  killAt: 1,
  forceAt: 2,
  deadlineAt: 3,
});
const release: Extract<AuditEvent, { type: 'release.requested' }> = {
  id: 'r',
  version: 1,
  time: '2026-01-02T03:04:05.678Z',
  hostId: 'h',
  type: 'release.requested',
  releaseId: 'rel',
  scope: { everything: true },
  principal,
  reason: 'over',
  policyVersion: 'p',
  orderIds: ['released'],
};

const facts: AuditEvent[] = [
  orderRequested(order('settled', 'at-settle'), 'h'),
  orderSettled(order('settled', 'at-settle'), 'h', 9, 0, 0),
  orderRequested(order('joined', 'on-release'), 'h'),
  orderJoined(order('joined', 'on-release'), order('lasting', 'on-release'), 'h'),
  orderRequested(order('lasting', 'on-release'), 'h'),
  orderSettled(order('lasting', 'on-release'), 'h', 9, 0, 0),
  orderRequested(order('released', 'on-release'), 'h'),
  release,
  gateReleased(release, 8, ['released'], [principal]),
];

it.each([
  ['in the order of the facts', facts],
  ['the other way round', facts.toReversed()],
  ['twice', [...facts, ...facts]],
])('I9: a record says the same however its chains are read: %s', async (_, events) => {
  const records = events.map((event, seq) => ({ partition: 'p', seq, prev: '', hash: '', event }));
  const recalled = await recall(records, 'h');
  expect([...recalled.stops].map(([id, { settledAt }]) => [id, settledAt])).toEqual([['lasting', 9]]);
  expect([...recalled.releases]).toEqual([]);
  expect([...recalled.opened]).toEqual(['released']);
  expect(recalled.onRecord.size).toBe(4);
});
