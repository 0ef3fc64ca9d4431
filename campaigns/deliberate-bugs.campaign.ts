import type { Campaign } from './campaign.ts';
import { inTurn } from './changed-core/in-turn.ts';
import { Thread } from './changed-core/thread.ts';
import { apply } from './deliberate-bugs/apply.ts';
import { deliberateBugs } from './deliberate-bugs/index.ts';
import { notice } from './deliberate-bugs/notice.ts';

/** So long one test file may keep its thread busy. */
const limitMs = 120_000;
/** With so many rounds of the simulation per bug everybody is asked who notices it; otherwise only the test named as its own. */
const thoroughRounds = 10;

const campaign: Campaign = {
  name: 'deliberate-bugs',
  summary:
    'Mistakes made in core on purpose are noticed, each by a test or by one of so many rounds of the simulation (I1 to I12)',
  defaultRounds: 100,
  testRounds: 1,

  async run({ rounds, seed, log }) {
    const violations: string[] = [];
    const faultsFired: Record<string, number> = {};
    const all = rounds >= thoroughRounds;
    const seeds = Array.from({ length: rounds }, (_, n) => (seed + n) >>> 0);
    const open = (): Thread => new Thread(limitMs);
    const changes = deliberateBugs.map((bug) => ({ ...bug, changes: apply(bug) }));
    // What nobody has changed has to be right, or whoever notices something has noticed nothing.
    const used = [...new Set(deliberateBugs.map(({ noticedBy }) => noticedBy))];
    const groups = all ? [[]] : used.map((file) => [file]);
    await inTurn(groups, open, async (first, thread) => {
      const faults = await notice(thread, new Map(), { first, alone: !all, seeds, all: true });
      violations.push(...faults.map((fault) => `without any bug: ${fault}`));
    });
    await inTurn(changes, open, async ({ name, invariant, noticedBy, changes: changed }, thread) => {
      const noticed = await notice(thread, changed, { first: [noticedBy], alone: !all, seeds, all });
      faultsFired[invariant] = (faultsFired[invariant] ?? 0) + 1;
      log(`${name} (${invariant}): ${all ? noticed.map(placeOf).join(', ') : (noticed[0] ?? '')}`);
      const asked = all ? 'nobody notices' : `${noticedBy} does not notice`;
      if (noticed.length === 0) violations.push(`${asked} that ${name} (${invariant})`);
    });
    return { violations, faultsFired };
  },
};
export default campaign;

/** The file, or `simulation`. */
function placeOf(noticed: string): string {
  return /^[^:,]+/.exec(noticed)?.[0] ?? noticed;
}
