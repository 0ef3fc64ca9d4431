import { expect, test } from 'vitest';
import { playRound } from './round.ts';
import { simulate } from './simulate.ts';

async function trace(seed: number): Promise<string> {
  const lines: string[] = [];
  await playRound(seed, { trace: (line) => lines.push(line) });
  return lines.join('\n');
}

test.each([1, 2, 3])('a round is played again exactly as it was: seed %i', async (seed) => {
  const first = await trace(seed);
  expect(first.length).toBeGreaterThan(1_000);
  expect(await trace(seed)).toBe(first);
});

test('another seed plays another round', async () => {
  expect(await trace(4)).not.toBe(await trace(5));
});

test('what hears the trace changes nothing', async () => {
  const [silent, heard] = [await playRound(6), await playRound(6, { trace: () => undefined })];
  expect(heard.steps).toBe(silent.steps);
  expect([...heard.history.versions]).toHaveLength(silent.history.versions.size);
});

test('a round on the real core keeps every promise', async () => {
  expect(await simulate({}, 7)).toEqual([]);
});
