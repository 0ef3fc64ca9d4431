import { expect, test } from 'vitest';
import { median } from './compare.ts';
import { breaksLimit, type Figure, reported, table } from './report.ts';

const figure: Figure = { metric: 'a.b', value: 30, unit: 'ms', n: 10 };

test('a figure is written with exactly the members of the line', () => {
  expect(reported(figure)).toEqual({ metric: 'a.b', value: 30, unit: 'ms', n: 10 });
  expect(reported({ ...figure, baseline: 20, limit: 2, direction: 'atMost' })).toEqual({
    metric: 'a.b',
    value: 30,
    unit: 'ms',
    ratio: 1.5,
    baseline: 20,
    limit: 2,
    n: 10,
  });
});

test.each<[string, Partial<Figure>, boolean]>([
  ['no limit', {}, false],
  ['value at the limit', { limit: 30 }, false],
  ['value over the limit', { limit: 29.9 }, true],
  ['ratio at the limit, value over it', { baseline: 20, limit: 1.5 }, false],
  ['ratio over the limit', { baseline: 20, limit: 1.4 }, true],
  ['at least, reached', { limit: 30, direction: 'atLeast' }, false],
  ['at least, missed', { limit: 31, direction: 'atLeast' }, true],
])('%s', (_, more, broken) => {
  expect(breaksLimit({ ...figure, ...more })).toBe(broken);
  expect(table([{ ...figure, ...more }]).includes('BROKEN')).toBe(broken);
});

test.each([{ value: Number.NaN }, { value: Number.POSITIVE_INFINITY }, { baseline: 0 }, { n: 0 }])(
  '%j is no measurement',
  (wrong) => {
    expect(() => reported({ ...figure, ...wrong })).toThrow(RangeError);
  },
);

test('the median is the middle, whatever the order', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 9, 6])).toBe(5);
  expect(() => median([])).toThrow(RangeError);
});
