import { expect, it } from 'vitest';
import { type AuditEvent, auditEventSchema } from '../audit-event.ts';
import { memoryAudit } from './memory-audit.ts';

function denial(n: number, denialText = 'no grant'): AuditEvent {
  return auditEventSchema.parse({
    type: 'request.denied',
    id: String(n).padStart(26, '0'),
    version: 1,
    time: '2026-01-02T03:04:05.678Z',
    hostId: 'host',
    workspaceId: n % 2 === 0 ? 'even' : 'odd',
    action: 'kill',
    scope: { task: 't' },
    principal: { id: 'someone', kind: 'user' },
    denial: denialText,
    policyVersion: '1',
  });
}

it('keeps events in order and drops a repeated id, within a batch too', async () => {
  const audit = memoryAudit();
  await audit.append([denial(0), denial(1), denial(0)]);
  await audit.append([denial(1), denial(2)]);
  expect(audit.events()).toEqual([denial(0), denial(1), denial(2)]);
  expect(audit.records().map((record) => record.seq)).toEqual([0, 1, 2]);
  expect(await audit.heads()).toEqual([{ partition: 'memory', seq: 2, hash: audit.records()[2]?.hash }]);
});

it('makes the same chain whenever it is looked at', async () => {
  const [early, late] = [memoryAudit(), memoryAudit()];
  for (const n of [0, 1, 2]) {
    await early.append([denial(n)]);
    await late.append([denial(n)]);
    expect(await early.heads()).toMatchObject([{ seq: n }]);
  }
  expect(late.records()).toEqual(early.records());
  const [, second, third] = late.records();
  expect(third?.prev).toBe(second?.hash);
});

it('keeps nothing of a batch that cannot be written as JSON', async () => {
  const audit = memoryAudit();
  const unwritable = { ...denial(1), denial: 1n } as unknown as AuditEvent;
  await expect(audit.append([denial(0), unwritable])).rejects.toThrow(TypeError);
  expect(audit.events()).toEqual([]);
  expect(await audit.heads()).toEqual([]);
  await audit.append([denial(0), denial(1)]);
  expect(audit.events()).toHaveLength(2);
});

it('is not changed by a caller that changes an event, or the lists it was given', async () => {
  const audit = memoryAudit();
  const event = denial(0);
  await audit.append([event]);
  event.hostId = 'changed';
  (audit.records() as unknown[]).length = 0;
  expect(audit.events()).toEqual([denial(0)]);
});

it('reads what was on record when reading began, filtered', async () => {
  const audit = memoryAudit();
  await audit.append([denial(0), denial(1), denial(2)]);
  const seen: number[] = [];
  for await (const record of audit.read({ workspaceId: 'even' })) {
    seen.push(record.seq);
    await audit.append([denial(4 + 2 * seen.length)]);
  }
  expect(seen).toEqual([0, 2]);
  const later: number[] = [];
  for await (const record of audit.read({ after: { partition: 'memory', seq: 1 } })) later.push(record.seq);
  expect(later).toEqual([2, 3, 4]);
  for await (const record of audit.read({ orderId: 'order' })) expect.unreachable(`record ${record.seq}`);
});
