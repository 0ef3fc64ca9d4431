import { expect, test } from 'vitest';
import { playRound } from '../round.ts';
import { breakages } from './breakages.ts';
import type { Breakage } from './breaking.ts';
import { type CheckName, checks } from './index.ts';

const mostSeeds = 300;

/** Not every round has in it what a check judges: rounds are broken until one is found out. */
async function isEverFoundOut(name: CheckName, breakage: Breakage): Promise<boolean> {
  for (let seed = 1; seed <= mostSeeds; seed++) {
    const round = await playRound(seed);
    expect(checks[name](round)).toEqual([]);
    const broken = breakage(round);
    if (broken !== undefined && checks[name](broken).length > 0) return true;
  }
  return false;
}

test.each(Object.entries(breakages) as Array<[CheckName, Breakage]>)(
  '%s finds what it is there for',
  async (name, breakage) => {
    expect(await isEverFoundOut(name, breakage)).toBe(true);
  },
  60_000,
);
