import { describe, expect, it } from 'vitest';
import { cleanupStepClauses } from './cleanup-step.ts';
import { stepBugs, stepFactory } from './testing/broken-cleanup-steps.ts';
import { brokenClauses } from './testing/only-broken.ts';

describe('a sound step keeps every promise', () => {
  for (const clause of cleanupStepClauses) it(clause.name, () => clause.run(stepFactory()));
});

describe('a step that breaks a promise breaks just that clause', () => {
  it('knows a bug for every clause', () => {
    expect(Object.keys(stepBugs)).toEqual(cleanupStepClauses.map((clause) => clause.name));
  });
  for (const [name, bug] of Object.entries(stepBugs)) {
    it.concurrent(name, async () => {
      expect(await brokenClauses(cleanupStepClauses, () => stepFactory(bug))).toEqual([name]);
    });
  }
});

it('finds a step that does nothing, one that changes the record, and a factory that leaves nothing', async () => {
  const idle = () => stepFactory(() => ({ run: async () => undefined }));
  expect((await brokenClauses(cleanupStepClauses, idle)).length).toBeGreaterThanOrEqual(5);
  const careless = () =>
    stepFactory((sound) => ({
      async run(agent, context) {
        agent.resources.pop();
        await sound.run(agent, context);
      },
    }));
  expect((await brokenClauses(cleanupStepClauses, careless)).length).toBeGreaterThanOrEqual(5);
  const empty = () => ({
    ...stepFactory(),
    leave: async () => ({ resources: [], isGone: async () => true }),
  });
  expect((await brokenClauses(cleanupStepClauses, empty)).length).toBe(cleanupStepClauses.length - 1);
});
