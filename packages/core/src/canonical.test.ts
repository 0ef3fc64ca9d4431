import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.ts';

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

  it('forgets no member and mixes up no shapes, whatever came before and in whatever order', () => {
    const names = ['b', 'a', '1', 'é', '__proto__', 'toString', '"', 'x'.repeat(2_000)];
    for (let round = 0; round < 3_000; round += 1) {
      const picked = names.filter((_, n) => (round >> n) & 1);
      if (round % 2 === 1) picked.reverse();
      if (round % 3 === 0) picked.push(`own ${round}`);
      const value = Object.fromEntries(picked.map((name, n) => [name, n]));
      const members = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
      const expected = members.map((name) => `${JSON.stringify(name)}:${value[name]}`).join(',');
      expect(canonical(value)).toBe(`{${expected}}`);
    }
  });

  it('takes objects without a prototype, of a class, and with more members than it remembers', () => {
    class Point {
      y = 2;
      x = 1;
    }
    expect(canonical(new Point())).toBe('{"x":1,"y":2}');
    expect(canonical(Object.assign(Object.create(null), { b: 1, a: 2 }))).toBe('{"a":2,"b":1}');
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`m${(n * 37) % 100}`, n]));
    expect(Object.keys(JSON.parse(canonical(wide)))).toEqual(Object.keys(wide).sort());
  });

  it('writes every UTF-16 unit as JSON.stringify does', () => {
    for (let unit = 0; unit < 0x1_00_00; unit += 1) {
      const text = `a${String.fromCharCode(unit)}b`;
      if (canonical(text) !== JSON.stringify(text)) expect.fail(`unit ${unit.toString(16)}`);
    }
  });
});
