import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, chain, genesisHash } from './audit-chain.ts';
import { type AuditEvent, auditEventSchema } from './audit-event.ts';
import { verifyChain } from './verify-chain.ts';

function denial(n: number): AuditEvent {
  return auditEventSchema.parse({
    type: 'request.denied',
    id: `event-${n}`,
    version: 1,
    time: '2026-01-02T03:04:05.678Z',
    hostId: 'host',
    action: 'kill',
    scope: { everything: true },
    principal: { id: 'someone', kind: 'user' },
    denial: 'no grant',
    policyVersion: '1',
  });
}

function chained(length: number, partition = 'a', from = 0): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 0; n < length; n += 1) records.push(chain(records.at(-1), partition, denial(from + n)));
  return records;
}

const records = chained(6);
const at = (index: number): AuditRecord => records[index]!;
const headAt = (index: number) => ({ seq: index, hash: at(index).hash });

describe('a sound chain', () => {
  it('verifies with its length and its head, from a list or a stream', async () => {
    const report = { ok: true, count: 6, head: headAt(5) };
    expect(await verifyChain(records)).toEqual(report);
    expect(await verifyChain(records.values(), { partition: 'a', head: headAt(5) })).toEqual(report);
    const stream = (async function* () {
      yield* records;
    })();
    expect(await verifyChain(stream, { head: headAt(2) })).toEqual(report);
  });

  it('may be empty', async () => {
    expect(await verifyChain([])).toEqual({ ok: true, count: 0 });
  });

  it('verifies with a hash of the host, and not with another one', async () => {
    const native = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(await verifyChain(records, { hash: native })).toMatchObject({ ok: true });
    expect(await verifyChain(records, { hash: () => 'other' })).toMatchObject({
      fault: 'hash',
      at: { index: 0 },
    });
  });
});

describe('the first bad record is named', () => {
  const other = chained(6, 'b', 10);
  const rewritten = [...records.slice(0, 4), chain(at(3), 'a', denial(44))];

  it.each([
    ['cut off at the end', records.slice(0, 4), { head: headAt(5) }, 'truncated', { seq: 4, index: 4 }],
    ['without its last record', records.slice(0, 5), { head: headAt(5) }, 'truncated', { seq: 5, index: 5 }],
    ['with null at its start', [null as never], { head: headAt(5) }, 'shape', { seq: 0, index: 0 }],
    ['gone', [], { head: headAt(5) }, 'truncated', { seq: 0, index: 0 }],
    [
      'rewritten at the end',
      rewritten,
      { head: headAt(4) },
      'head',
      { seq: 4, index: 4, eventId: 'event-44' },
    ],
    ['another one whole', other, { partition: 'a' }, 'partition', { seq: 0, index: 0, eventId: 'event-10' }],
    [
      'spliced with another one',
      [...records.slice(0, 3), ...other.slice(3)],
      {},
      'partition',
      { seq: 3, index: 3, eventId: 'event-13' },
    ],
    [
      'spliced with another one under its name',
      [...records.slice(0, 3), ...other.slice(3).map((record) => ({ ...record, partition: 'a' }))],
      {},
      'link',
      { seq: 3, index: 3, eventId: 'event-13' },
    ],
    ['without its start', records.slice(1), {}, 'sequence', { seq: 1, index: 0, eventId: 'event-1' }],
    [
      'changed twice',
      records.with(4, { ...at(4), hash: genesisHash }).with(2, { ...at(2), event: denial(9) }),
      {},
      'hash',
      { seq: 2, index: 2, eventId: 'event-9' },
    ],
    ['with null in it', records.with(1, null as never), {}, 'shape', { seq: 1, index: 1 }],
    ['with a text in it', records.with(1, 'x' as never), { head: headAt(5) }, 'shape', { seq: 1, index: 1 }],
  ] as const)('of a chain %s', async (_, bad, options, fault, where) => {
    expect(await verifyChain(bad, options)).toEqual({ ok: false, fault, at: where });
  });
});

it('holds one record at a time, however many come', async () => {
  const refs: WeakRef<AuditRecord>[] = [];
  const stream = (async function* () {
    let last: AuditRecord | undefined;
    for (let n = 0; n < 20_000; n += 1) {
      last = chain(last, 'a', denial(n));
      if (n % 1_000 === 0) refs.push(new WeakRef(last));
      yield last;
    }
  })();
  expect(await verifyChain(stream)).toMatchObject({ ok: true, count: 20_000 });
  // A WeakRef holds on to its target until the turn it was made in is over.
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  expect(refs).toHaveLength(20);
  expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(2);
});

it('leaves a reader that fails to its caller', async () => {
  const failing = (async function* () {
    yield at(0);
    throw new Error('the disk is gone');
  })();
  await expect(verifyChain(failing)).rejects.toThrow('the disk is gone');
});
