import { type CrashTally, crashRound } from '../packages/adapter-git/test/removal-crashes.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';

/** The seed decides when a service dies; how far it had come by then is up to the machine. */
const campaign: Campaign = {
  name: 'git-removal',
  summary:
    'A service that removes worktrees is killed at random moments: the next finishes, nothing is lost or left',
  defaultRounds: 100,
  testRounds: 2,

  async run({ rounds, seed, log }) {
    const random = new SeededRandom(seed);
    const tally: CrashTally = {
      violations: [],
      crashes: { crashes: 0, 'before the move': 0, 'before the salvage': 0, 'before the deletion': 0 },
    };
    for (let round = 0; round < rounds; round++) {
      const label = `seed ${seed} round ${round}`;
      try {
        await crashRound(label, () => random.next(), tally);
      } catch (error) {
        tally.violations.push(`${label}: ${error}`);
      }
      if ((round + 1) % 10 === 0) log(`round ${round + 1}: ${tally.violations.length} violations`);
    }
    const { crashes } = tally.crashes;
    if (rounds < 20) return { violations: tally.violations, faultsFired: { crashes } };
    return { violations: tally.violations, faultsFired: tally.crashes };
  },
};
export default campaign;
