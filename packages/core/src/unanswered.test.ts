import { expect, it } from 'vitest';
import { Unanswered } from './unanswered.ts';

it('I12: three calls of a kind may hang, then one more every half minute', () => {
  const calls = new Unanswered();
  for (let n = 0; n < 3; n++) expect(calls.begin('docker', 0)).toBeDefined();
  expect(calls.begin('docker', 29_999)).toBeUndefined();
  expect(calls.begin('process', 29_999)).toBeDefined();
  expect(calls.begin('docker', 30_000)).toBeDefined();
  expect(calls.begin('docker', 59_999)).toBeUndefined();
  expect(calls.begin('docker', 60_000)).toBeDefined();
});

it('has room again for each that comes back', () => {
  const calls = new Unanswered();
  const ends = [0, 1, 2].map((at) => calls.begin('docker', at));
  ends[1]?.();
  const again = calls.begin('docker', 3);
  expect(again).toBeDefined();
  expect(calls.begin('docker', 3)).toBeUndefined();
  for (const end of [ends[0], ends[2], again]) end?.();
  // As if there had never been any.
  for (let n = 0; n < 3; n++) expect(calls.begin('docker', 4)).toBeDefined();
  expect(calls.begin('docker', 4)).toBeUndefined();
});
