import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Gathering } from './gathering.ts';

it('lets what came in one turn of the event loop go on side by side', async () => {
  const gathering = new Gathering();
  const steps: string[] = [];
  const work = async (name: string): Promise<void> => {
    await gathering.next();
    for (const step of [1, 2, 3]) {
      steps.push(`${name}${step}`);
      await undefined;
    }
  };
  const [first, second] = [work('a'), work('b')];
  expect(steps).toEqual([]);
  await Promise.all([first, second]);
  expect(steps).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
});

it('keeps nobody waiting for what comes later', async () => {
  const gathering = new Gathering();
  const steps: string[] = [];
  void gathering.next().then(() => steps.push('first'));
  await turn();
  void gathering.next().then(() => steps.push('second'));
  expect(steps).toEqual(['first']);
  await turn();
  expect(steps).toEqual(['first', 'second']);
});
