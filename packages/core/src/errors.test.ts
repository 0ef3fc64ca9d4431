import { describe, expect, it } from 'vitest';
import { describeError, isKillswitchError, UnknownTargetError } from './errors.ts';

describe('describeError (B7)', () => {
  it.each([
    [new Error('connect postgres://user:hunter2@db/x failed'), 'Error: connect postgres://…@db/x failed'],
    [new Error('token=hunter2 refused'), 'Error: token=… refused'],
    [new Error('Authorization: Bearer hunter2'), 'Error: Authorization: …'],
    [new Error('{"password":"hunter2"}'), 'Error: {"password":"…"}'],
    [new Error('a\nb\0c'), 'Error: a b c'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
  ])('%o becomes %s', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
    expect(describeError(thrown)).not.toContain('hunter2');
  });

  it('survives what throws when it is read, and is bounded', () => {
    const hostile = {
      toString: () => {
        throw new Error('gotcha');
      },
    };
    const getter = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('gotcha');
      },
    });
    expect(describeError(hostile)).toBe('an error that cannot be read');
    expect(describeError(getter)).toBe('an error that cannot be read');
    expect(describeError(new Error('x'.repeat(100_000)))).toHaveLength(500);
  });
});

describe('isKillswitchError', () => {
  it('knows errors by their mark, also of another copy of the library', () => {
    const ours = new UnknownTargetError('agent', 'a');
    expect(isKillswitchError(ours)).toBe(true);
    expect(isKillswitchError(ours, 'unknown-target')).toBe(true);
    expect(isKillswitchError(ours, 'forbidden')).toBe(false);
    expect(
      isKillswitchError({ [Symbol.for('agent-killswitch.error')]: true, code: 'forbidden' }, 'forbidden'),
    ).toBe(true);
    for (const other of [new Error('x'), null, undefined, 'x', {}])
      expect(isKillswitchError(other)).toBe(false);
  });
});
