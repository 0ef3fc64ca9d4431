import type { Campaign, CampaignOptions, CampaignResult } from './campaign.ts';
import { judge } from './simulation/checks/index.ts';
import { playOnThreads } from './simulation/crew.ts';
import { faultKinds } from './simulation/faults.ts';
import { happenings } from './simulation/happenings.ts';
import { playRound } from './simulation/round.ts';
import type { Shift } from './simulation/shift.ts';

const shiftRounds = 25;
/** From so many rounds on every kind of fault has to have been inflicted. */
const enoughRounds = 500;
/** From so many rounds on everything has to have come about. */
const manyRounds = 5_000;
const logEvery = 1_000;

/** Each round has a seed of its own: the first one the seed given, then one more each. */
const campaign: Campaign = {
  name: 'simulation',
  summary:
    'Hosts, agents, people and everything that can go wrong in simulated time keep every invariant (I1 to I12)',
  defaultRounds: 10_000,
  testRounds: 1_000,
  run: (options) => (options.rounds === 1 ? replay(options) : playAll(options)),
};
export default campaign;

async function playAll({ rounds, seed, log }: CampaignOptions): Promise<CampaignResult> {
  const violations: Array<{ readonly seed: number; readonly text: string }> = [];
  const faultsFired: Record<string, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0]));
  const happened = new Map<string, number>(Object.keys(happenings).map((name) => [name, 0]));
  let played = 0;
  await playOnThreads(shiftsOf(seed, rounds), (result) => {
    for (const violation of result.violations) {
      violations.push(violation);
      log(violation.text.split('\n', 1)[0] ?? '');
    }
    for (const [kind, times] of result.faultsFired) faultsFired[kind] = (faultsFired[kind] ?? 0) + times;
    for (const [name, times] of result.happened) happened.set(name, (happened.get(name) ?? 0) + times);
    played = Math.min(rounds, played + shiftRounds);
    if (played % logEvery === 0) log(`${played} rounds: ${violations.length} violations`);
  });
  const texts = violations.sort((a, b) => a.seed - b.seed).map(({ text }) => text);
  log([...happened].map(([name, times]) => `${name}: in ${times} rounds`).join('\n'));
  if (rounds >= manyRounds)
    for (const [name, times] of happened)
      if (times === 0) texts.push(`seed ${seed}: nowhere in ${rounds} rounds "${name}"`);
  if (rounds >= enoughRounds)
    for (const [kind, times] of Object.entries(faultsFired))
      if (times === 0) texts.push(`seed ${seed}: "${kind}" was not inflicted once in ${rounds} rounds`);
  return { violations: texts, faultsFired };
}

/** One round, with all that everybody did at what virtual time, in milliseconds since its start. */
async function replay({ seed, log }: CampaignOptions): Promise<CampaignResult> {
  const round = await playRound(seed, { trace: log });
  const broken = judge(round);
  return {
    violations: broken.map((line) => `seed ${seed}: ${line}`),
    // Some round has no fault at all; what was done in it is then its races.
    faultsFired: { races: round.steps, ...Object.fromEntries(round.world.faults.fired) },
  };
}

function shiftsOf(seed: number, rounds: number): Shift[] {
  const shifts: Shift[] = [];
  for (let n = 0; n < rounds; n += shiftRounds)
    shifts.push({ from: seed + n, count: Math.min(shiftRounds, rounds - n) });
  return shifts;
}
