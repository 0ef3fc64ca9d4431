import { expect, test } from 'vitest';
import { SeededRandom } from './seeded-random.ts';

const row = (random: SeededRandom): number[] => Array.from({ length: 5 }, () => random.integer(0, 1_000_000));

test('the same seed gives the same row, another seed another', () => {
  expect(row(new SeededRandom(7))).toEqual(row(new SeededRandom(7)));
  expect(row(new SeededRandom(7))).not.toEqual(row(new SeededRandom(8)));
  expect(row(new SeededRandom(0))).not.toEqual(row(new SeededRandom(2 ** 32 - 1)));
});

test('whole numbers reach both ends of their range and fill it evenly', () => {
  const random = new SeededRandom(1);
  const counts = new Map<number, number>();
  for (let n = 0; n < 60_000; n++) {
    const value = random.integer(-2, 4);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
  for (const count of counts.values()) expect(count).toBeGreaterThan(9_500);
});

test('an empty range and an empty list are refused', () => {
  expect(() => new SeededRandom(1).integer(3, 3)).toThrow(RangeError);
  expect(() => new SeededRandom(1).pick([])).toThrow(RangeError);
});

test('a shuffle keeps every item', () => {
  const items = Array.from({ length: 50 }, (_, index) => index);
  const shuffled = new SeededRandom(3).shuffled(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
});

test('what a fork draws does not shift what its origin draws next', () => {
  const [one, other] = [new SeededRandom(5), new SeededRandom(5)];
  row(one.fork());
  other.fork();
  expect(row(one)).toEqual(row(other));
});
