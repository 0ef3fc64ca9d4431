import { hostileTrees } from '../packages/adapter-process/test/hostile-trees.ts';
import type { Campaign } from './campaign.ts';

const campaign: Campaign = {
  name: 'hostile-trees',
  summary:
    'Process trees that ignore signals, fork twice and without end, found sessions, re-exec or stay zombies die whole (I1, I3)',
  defaultRounds: 300,
  testRounds: 20,

  async run({ rounds, seed, log }) {
    const { failures, processes, deeds, slowestMs, scans } = await hostileTrees(rounds, seed);
    log(
      `${processes} processes, slowest tree dead after ${Math.round(slowestMs)} ms, ${scans} looks at /proc`,
    );
    return { violations: failures, faultsFired: { processes, ...deeds } };
  },
};
export default campaign;
