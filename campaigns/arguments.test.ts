import { expect, test } from 'vitest';
import { parseArguments } from './arguments.ts';

const names = ['one', 'two'];

test('takes a name, rounds and a seed', () => {
  const wanted = { list: false, name: 'two', rounds: 12, seed: 0 };
  expect(parseArguments(['two', '--rounds', '12', '--seed', '0'], names)).toEqual(wanted);
  expect(parseArguments(['two', '--seed=0', '--rounds=12'], names)).toEqual(wanted);
});

test('draws a seed if none is given', () => {
  const args = parseArguments(['one'], names);
  expect(args).toMatchObject({ list: false, name: 'one', seed: expect.any(Number) });
  expect(args).not.toHaveProperty('rounds');
});

test.each([
  [[], 'Usage'],
  [['--rounds', '3'], 'Usage'],
  [['three'], 'No campaign "three"; there are one, two'],
  [['one', '--rounds'], 'not nothing'],
  [['one', '--rounds', '0'], 'not 0'],
  [['one', '--rounds', '1.5'], 'not 1.5'],
  [['one', '--seed', '-1'], 'not -1'],
  [['one', '--seed', '4294967296'], 'not 4294967296'],
  [['one', 'more'], 'Unknown argument "more"'],
])('%j is refused in one line', (args, message) => {
  expect(() => parseArguments(args, names)).toThrow(message);
  expect(() => parseArguments(args, names)).toThrow(/^[^\n]+$/);
});
