/** A short run of every campaign: what the long ones prove must never be broken on an ordinary day either. */
import { describe, expect, test } from 'vitest';
import { unfired } from '../campaigns/campaign.ts';
import { loadCampaigns } from '../campaigns/load-campaigns.ts';

describe.each(await loadCampaigns())('$name', ({ run, testRounds }) => {
  test(`keeps its promise for ${testRounds} rounds`, async () => {
    const lines: string[] = [];
    const result = await run({ rounds: testRounds, seed: 20_260_102, log: (line) => lines.push(line) });
    expect(result.violations, lines.slice(-20).join('\n')).toEqual([]);
    expect(unfired(result)).toEqual([]);
  });
});
