import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256 } from './sha256.ts';

const native = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

it.each(['', 'abc', 'é😀\u2028', 'a lone \ud800 surrogate', 'x'.repeat(10_000), 'é'.repeat(100_000)])(
  'agrees with the native one (%#)',
  (text) => {
    expect(sha256(text)).toBe(native(text));
  },
);

it('agrees at every length around its blocks and its buffer, and keeps nothing of a longer text before', () => {
  const lengths = Array.from({ length: 200 }, (_, n) => n);
  for (const length of [5_460, 5_461, 5_462, 16_383, 16_384, 16_385, ...lengths.reverse()]) {
    expect(sha256('€'.repeat(length))).toBe(native('€'.repeat(length)));
  }
});
