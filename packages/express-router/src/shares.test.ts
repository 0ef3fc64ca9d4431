import { expect, it } from 'vitest';
import { Shares } from './shares.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('shares go round among those who wait, so many in a turn of the event loop', async () => {
  const shares = new Shares(2);
  const got: string[] = [];
  for (const [who, n] of [
    ['a', 4],
    ['b', 2],
    ['c', 1],
  ] as const)
    for (let i = 1; i <= n; i += 1) void shares.next(who).then(() => got.push(`${who}${i}`));
  await turn();
  expect(got).toEqual(['a1', 'b1']);
  await turn();
  expect(got).toEqual(['a1', 'b1', 'c1', 'a2']);
  await turn();
  await turn();
  expect(got).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  void shares.next('d').then(() => got.push('d'));
  await turn();
  expect(got.at(-1)).toBe('d');
});
