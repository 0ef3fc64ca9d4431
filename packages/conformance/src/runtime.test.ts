import type { Runtime } from '@agent-killswitch/core';
import { describe, expect, it } from 'vitest';
import { ConformanceError } from './clause.ts';
import { runtimeClauses } from './runtime.ts';
import { type Bug, factoryOf, runtimeBugs } from './testing/broken-runtime.ts';

describe('a sound runtime keeps every promise', () => {
  for (const clause of runtimeClauses) it(clause.name, () => clause.run(factoryOf()));

  it('also one that cannot locate', async () => {
    for (const clause of runtimeClauses) {
      await clause.run(
        factoryOf((sound) => ({ ...sound, locate: undefined }) as unknown as Partial<Runtime>),
      );
    }
  });
});

describe('every clause finds the bugs it is for', () => {
  it('has bugs for each clause', () => {
    expect(Object.keys(runtimeBugs).sort()).toEqual(runtimeClauses.map((clause) => clause.name).sort());
  });

  for (const clause of runtimeClauses) {
    for (const [name, bug] of Object.entries(runtimeBugs[clause.name] ?? {})) {
      it.concurrent(`${clause.name}: ${name}`, async () => {
        await expect(clause.run(factoryOf(bug))).rejects.toThrow(ConformanceError);
      });
    }
  }

  it.concurrent('a runtime that never answers', async () => {
    const [kill] = runtimeClauses;
    const hung: Bug = () => ({ kill: () => new Promise(() => {}) });
    await expect(kill!.run(factoryOf(hung))).rejects.toThrow(/settles within/);
  }, 15_000);

  it('refuses to run without what a clause needs, and closes after each clause', async () => {
    let closed = 0;
    const { open, startVictim } = factoryOf();
    for (const clause of runtimeClauses.filter(({ needs }) => needs !== undefined)) {
      await expect(clause.run({ open, startVictim })).rejects.toThrow(`the factory has "${clause.needs}"`);
    }
    await runtimeClauses[0]!.run({
      ...factoryOf(),
      close: async () => {
        closed += 1;
      },
    });
    expect(closed).toBe(1);
  });
});
