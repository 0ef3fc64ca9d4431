import { systemClock } from '@agent-killswitch/core';
import { describe, expect, it } from 'vitest';
import { clockClauses } from './clock.ts';
import { clockBugs, clockFactory } from './testing/broken-clocks.ts';
import { brokenClauses } from './testing/only-broken.ts';

describe('systemClock keeps every promise', () => {
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  for (const clause of clockClauses) {
    it(clause.name, () => clause.run({ open: async () => systemClock, advance: sleep }));
  }
});

describe('manualClock keeps every promise', () => {
  for (const clause of clockClauses) it(clause.name, () => clause.run(clockFactory()));
});

describe('a clock that breaks a promise breaks just that clause', () => {
  it('knows a bug for every clause', () => {
    expect(Object.keys(clockBugs)).toEqual(clockClauses.map((clause) => clause.name));
  });
  for (const [name, bug] of Object.entries(clockBugs)) {
    it(name, async () => {
      expect(await brokenClauses(clockClauses, () => clockFactory(bug))).toEqual([name]);
    });
  }
});

it('ends a clause about a clock that stands still', async () => {
  const stopped = () => clockFactory(() => ({ setTimer: () => () => undefined }));
  expect(await brokenClauses(clockClauses, stopped)).toHaveLength(6);
});
