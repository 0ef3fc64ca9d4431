import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { retryAfterMs } from './retry-after.ts';

const retry = { tries: 10, firstMs: 5_000, longestMs: 43_200_000 };

test('each pause is four times the one before, up to the longest', () => {
  const pauses = Array.from({ length: 9 }, (_, n) => backoffMs(n + 1, retry, 1 - 2 ** -32));
  expect(pauses).toEqual([5e3, 20e3, 80e3, 320e3, 1_280e3, 5_120e3, 20_480e3, 43_200e3, 43_200e3]);
  expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(30 * 3_600_000);
});

test('chance takes up to half of it away', () => {
  expect(backoffMs(1, retry, 0)).toBe(2_500);
  expect(backoffMs(1, retry, 0.5)).toBe(3_750);
});

test('a Retry-After is seconds or a date; nonsense is nothing', () => {
  const now = Date.UTC(2026, 10, 21, 17);
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs('Sat, 21 Nov 2026 17:00:30 GMT', now)).toBe(30_000);
  expect(retryAfterMs('Sat, 21 Nov 2026 16:00:00 GMT', now)).toBe(0);
  for (const nonsense of [
    undefined,
    '',
    '-1',
    '1.5',
    'soon',
    '1e9',
    'x'.repeat(100),
    '9'.repeat(40),
    'Sat, nonsense',
  ])
    expect(retryAfterMs(nonsense, now)).toBeUndefined();
});
