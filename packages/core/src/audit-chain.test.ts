import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, chain, chainFault, genesisHash, seal } from './audit-chain.ts';
import { type AuditEvent, auditEventSchema } from './audit-event.ts';
import { canonical } from './canonical.ts';

function event(n: number): AuditEvent {
  return auditEventSchema.parse({
    type: 'cleanup.finished',
    id: String(n).padStart(26, '0'),
    version: 1,
    time: '2026-01-02T03:04:05.678Z',
    hostId: 'host',
    agentId: 'agent',
    taskId: 'task',
    step: 'worktree',
    status: 'failed',
    tries: 1,
    error: `try ${n}`,
  });
}

function chained(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 0; n < length; n += 1) records.push(chain(records.at(-1), 'p', event(n)));
  return records;
}

/** Where the first fault of a chain is and which kind it has. */
function firstFault(records: readonly AuditRecord[]): string | undefined {
  let last: AuditRecord | undefined;
  for (const [index, record] of records.entries()) {
    const fault = chainFault(last, 'p', record);
    if (fault !== undefined) return `${index}:${fault}`;
    last = record;
  }
  return undefined;
}

describe('the chain', () => {
  it('starts at 0 after the genesis hash and links each record to the one before', () => {
    const records = chained(3);
    expect(records.map((record) => record.seq)).toEqual([0, 1, 2]);
    expect(genesisHash).toMatch(/^0{64}$/);
    expect(records.map((record) => record.prev)).toEqual([genesisHash, records[0]?.hash, records[1]?.hash]);
    expect(firstFault(records)).toBeUndefined();
  });

  it('hashes what the format says: partition, seq, prev and canonical event, line feeds between', () => {
    const record = chain({ seq: 6, hash: 'ab'.repeat(32) }, 'node-1', event(7));
    const text = `node-1\n7\n${'ab'.repeat(32)}\n${canonical(event(7))}`;
    expect(record.hash).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('does not depend on the order in which members were set', () => {
    const { id, ...rest } = event(1);
    expect(chain(undefined, 'p', { ...rest, id } as AuditEvent).hash).toBe(
      chain(undefined, 'p', event(1)).hash,
    );
  });

  it('uses an injected hash for both making and checking', () => {
    const record = chain(undefined, 'p', event(1), (text) => `h${text.length}`);
    expect(record.hash).toMatch(/^h\d+$/);
    expect(chainFault(undefined, 'p', record, (text) => `h${text.length}`)).toBeUndefined();
    expect(chainFault(undefined, 'p', record)).toBe('hash');
  });

  it('seals a canonical text as it chains the event', () => {
    const { event: _, ...sealed } = chain(undefined, 'p', event(1));
    expect(seal(undefined, 'p', canonical(event(1)))).toEqual(sealed);
  });
});

describe('tampering', () => {
  const records = chained(5);
  const at = (index: number): AuditRecord => records[index]!;
  const foreign = chain(undefined, 'q', event(0));
  const replaced = (index: number, record: AuditRecord) => records.with(index, record);

  it.each([
    ['an event changed', replaced(2, { ...at(2), event: event(9) }), '2:hash'],
    ['a hash changed', replaced(2, { ...at(2), hash: genesisHash }), '2:hash'],
    ['an event changed and rehashed', replaced(2, chain(at(1), 'p', event(9))), '3:link'],
    ['two events swapped', records.with(1, at(2)).with(2, at(1)), '1:sequence'],
    ['a record removed from the middle', records.toSpliced(2, 1), '2:sequence'],
    ['the first record removed', records.slice(1), '0:sequence'],
    ['a record said twice', records.toSpliced(2, 0, at(1)), '2:sequence'],
    ['a removed record papered over', records.toSpliced(2, 2, { ...at(3), seq: 2 }), '2:link'],
    ['a chain that starts elsewhere', [chain({ seq: -1, hash: at(4).hash }, 'p', event(0))], '0:link'],
    ['a member added', replaced(4, { ...at(4), event: { ...at(4).event, hostId: 'other' } }), '4:hash'],
    ['a record of another chain', replaced(2, chain(at(1), 'q', at(2).event)), '2:partition'],
    ['a record said to be of another chain', replaced(2, { ...at(2), partition: 'q' }), '2:partition'],
    ['a record of another chain said to be of this', [{ ...foreign, partition: 'p' }], '0:hash'],
    ['an event that is none', replaced(2, { ...at(2), event: null as never }), '2:shape'],
    ['an event that cannot be written', replaced(2, { ...at(2), event: { id: 1n } as never }), '2:shape'],
    ['a hash that is no text', replaced(2, { ...at(2), hash: 7 as never }), '2:shape'],
    ['nothing at all', replaced(2, undefined as never), '2:shape'],
  ])('finds %s', (_, tampered, expected) => {
    expect(firstFault(tampered)).toBe(expected);
  });
});
