import { manualClock } from '@agent-killswitch/core/memory';
import { expect, test } from 'vitest';
import { Overflow } from './overflow.ts';

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);

test('I5, I12: takes any number in no time, keeps the newest, and hands them on in portions, later', async () => {
  const clock = manualClock();
  const portions: number[][] = [];
  const overflow = new Overflow<number>(clock, (portion) => portions.push([...portion]));
  for (const n of upTo(3_000)) overflow.add([n]);
  expect(portions).toEqual([]);
  await clock.advance(0);
  expect(portions.map(({ length }) => length)).toEqual(upTo(40).map(() => 25));
  expect(portions.flat()).toEqual(upTo(1_000, 2_000));
  overflow.add(upTo(3_000));
  await overflow.drain();
  await clock.advance(0);
  expect(portions.flat().slice(1_000)).toEqual(upTo(1_000, 2_000));
});
