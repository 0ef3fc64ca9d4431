import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, canonical, chain, chainFault, genesisHash, sha256 } from './audit-chain.ts';
import { type AuditEvent, auditEventSchema } from './audit-event.ts';

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
  for (let n = 0; n < length; n += 1) records.push(chain(records.at(-1), event(n)));
  return records;
}

/** Where the first fault of a chain is and which kind it has. */
function firstFault(records: readonly AuditRecord[]): string | undefined {
  let last: AuditRecord | undefined;
  for (const [index, record] of records.entries()) {
    const fault = chainFault(last, record);
    if (fault !== undefined) return `${index}:${fault}`;
    last = record;
  }
  return undefined;
}

describe('canonical (RFC 8785)', () => {
  it('writes the example of section 3.2.2', () => {
    const value = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonical(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts members by UTF-16 code units, as in section 3.2.3', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect([...canonical(value).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the number %s of appendix B as %s', (bits, text) => {
    expect(canonical(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });

  it('escapes control characters and lone surrogates, and nothing else', () => {
    expect(canonical('\0\b\t\n\f\r"\\/\u007f\u2028é😀')).toBe(
      String.raw`"\u0000\b\t\n\f\r\"\\/${'\u007f\u2028'}é😀"`,
    );
    expect(canonical(['\ud800', '\udfff'])).toBe(String.raw`["\ud800","\udfff"]`);
  });

  it('keeps a member called __proto__ and leaves out undefined ones', () => {
    expect(canonical({ b: undefined, a: JSON.parse('{"__proto__":{"x":1}}') })).toBe(
      '{"a":{"__proto__":{"x":1}}}',
    );
  });

  it.each([
    ['NaN', Number.NaN],
    ['infinity', -Number.POSITIVE_INFINITY],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', new Array(2)],
    ['a function', { run: () => 1 }],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['a Date', new Date(0)],
    ['a Map', new Map([['a', 1]])],
    ['a boxed string', Object('text')],
  ])('refuses %s', (_, value) => {
    expect(() => canonical(value)).toThrow(TypeError);
  });
});

describe('sha256', () => {
  it.each(['', 'abc', 'é😀\u2028', 'x'.repeat(10_000)])('agrees with the native one (%#)', (text) => {
    expect(sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
  });
});

describe('the chain', () => {
  it('starts at 0 after the genesis hash and links each record to the one before', () => {
    const records = chained(3);
    expect(records.map((record) => record.seq)).toEqual([0, 1, 2]);
    expect(records.map((record) => record.prev)).toEqual([genesisHash, records[0]?.hash, records[1]?.hash]);
    expect(firstFault(records)).toBeUndefined();
  });

  it('hashes what the format says: seq, prev and canonical event, line feeds between', () => {
    const record = chain({ seq: 6, hash: 'ab'.repeat(32) }, event(7));
    const text = `7\n${'ab'.repeat(32)}\n${canonical(event(7))}`;
    expect(record.hash).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('does not depend on the order in which members were set', () => {
    const { id, ...rest } = event(1);
    expect(chain(undefined, { ...rest, id } as AuditEvent).hash).toBe(chain(undefined, event(1)).hash);
  });

  it('uses an injected hash for both making and checking', () => {
    const record = chain(undefined, event(1), (text) => `h${text.length}`);
    expect(record.hash).toMatch(/^h\d+$/);
    expect(chainFault(undefined, record, (text) => `h${text.length}`)).toBeUndefined();
    expect(chainFault(undefined, record)).toBe('hash');
  });
});

describe('tampering', () => {
  const records = chained(5);
  const at = (index: number): AuditRecord => records[index]!;
  const replaced = (index: number, record: AuditRecord) => records.with(index, record);

  it.each([
    ['an event changed', replaced(2, { ...at(2), event: event(9) }), '2:hash'],
    ['a hash changed', replaced(2, { ...at(2), hash: genesisHash }), '2:hash'],
    ['an event changed and rehashed', replaced(2, chain(at(1), event(9))), '3:link'],
    ['two events swapped', records.with(1, at(2)).with(2, at(1)), '1:sequence'],
    ['a record removed from the middle', records.toSpliced(2, 1), '2:sequence'],
    ['the first record removed', records.slice(1), '0:sequence'],
    ['a record said twice', records.toSpliced(2, 0, at(1)), '2:sequence'],
    ['a removed record papered over', records.toSpliced(2, 2, { ...at(3), seq: 2 }), '2:link'],
    ['a chain that starts elsewhere', [chain({ seq: -1, hash: at(4).hash }, event(0))], '0:link'],
    ['a member added', replaced(4, { ...at(4), event: { ...at(4).event, hostId: 'other' } }), '4:hash'],
  ])('finds %s', (_, tampered, expected) => {
    expect(firstFault(tampered)).toBe(expected);
  });
});
