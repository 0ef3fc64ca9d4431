import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign } from './campaign.ts';
import { inTurn } from './changed-core/in-turn.ts';
import { packages } from './changed-core/module-graph.ts';
import { Thread } from './changed-core/thread.ts';
import { type Equivalent, equivalents } from './mutation/equivalents.ts';
import { type Mutant, mutantsOf } from './mutation/mutants.ts';
import { targets } from './mutation/targets.ts';
import { SeededRandom } from './seeded-random.ts';

/** Ample, so that a busy machine does not pass for a test that notices something. */
const timeoutMs = 30_000;
const limitMs = 90_000;

interface Score {
  noticed: number;
  all: number;
}

const campaign: Campaign = {
  name: 'mutation',
  summary:
    'Small changes to lifecycle, policy, sweep, deadlines and audit are noticed by unit tests, nine of ten at least',
  defaultRounds: 10_000,
  testRounds: 3,

  async run({ rounds, seed, log }) {
    const mutants = Object.keys(targets).flatMap(mutantsIn);
    const violations = staleEquivalents(mutants);
    const thread = new Thread(limitMs);
    const every = [...new Set(Object.keys(targets).flatMap(testsOf))];
    const { caughtBy } = await thread.run({ changes: new Map(), files: every, seeds: [], timeoutMs });
    if (caughtBy !== undefined) violations.push(`without any change: ${caughtBy}`);
    await thread.close();
    const wanted = mutants.filter((mutant) => !isEquivalent(mutant));
    const some = new SeededRandom(seed).shuffled(wanted).slice(0, rounds);
    const scores = new Map<string, Score>();
    const survivors: string[] = [];
    await inTurn(
      some,
      () => new Thread(limitMs),
      async (mutant, thread) => {
        const score = scores.get(mutant.file) ?? { noticed: 0, all: 0 };
        scores.set(mutant.file, score);
        const { caughtBy } = await thread.run({
          changes: changesOf(mutant),
          files: testsOf(nameOf(mutant.file)),
          seeds: [],
          timeoutMs,
        });
        score.all += 1;
        if (caughtBy !== undefined) score.noticed += 1;
        else {
          survivors.push(textOf(mutant));
          log(`survives: ${textOf(mutant)}`);
        }
      },
    );
    for (const [file, { noticed, all }] of scores)
      log(`${file}: ${noticed} of ${all}, ${percent(noticed / all)}`);
    const noticed = some.length - survivors.length;
    log(
      `all: ${noticed} of ${some.length}, ${percent(noticed / some.length)}; ${mutants.length - wanted.length} more are equivalent`,
    );
    if (survivors.length > mostSurvivors(some))
      violations.push(`only ${percent(noticed / some.length)} noticed:\n${survivors.join('\n')}`);
    // Of a file of which only some mutants were taken, chance would have the say.
    if (some.length === wanted.length) violations.push(...tooLow(scores));
    return { violations, faultsFired: { mutants: some.length } };
  },
};
export default campaign;

function mutantsIn(name: string): Mutant[] {
  const file = `${name}.ts`;
  return mutantsOf(file, readFileSync(join(packages, 'core/src', file), 'utf8'));
}

function changesOf({ file, source }: Mutant): ReadonlyMap<string, string> {
  return new Map([[join('core/src', file), source]]);
}

function testsOf(name: string): string[] {
  return [...new Set(targets[name]?.tests)].map((test) => `core/src/${test}.test.ts`);
}

/** Among few mutants chance alone may leave more than are granted: two standard deviations come on top. */
function mostSurvivors(mutants: readonly Mutant[]): number {
  const rates = mutants.map(({ file }) => 1 - (targets[nameOf(file)]?.atLeast ?? 0));
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
  return (
    sum(rates) + (mutants.length < 1_000 ? 2 * Math.sqrt(sum(rates.map((rate) => rate * (1 - rate)))) : 0)
  );
}

function tooLow(scores: ReadonlyMap<string, Score>): string[] {
  return [...scores]
    .filter(([file, { noticed, all }]) => noticed < all * (targets[nameOf(file)]?.atLeast ?? 0))
    .map(([file, { noticed, all }]) => `${file}: only ${percent(noticed / all)} noticed`);
}

function nameOf(file: string): string {
  return file.slice(0, -'.ts'.length);
}

function isEquivalent(mutant: Mutant): boolean {
  return equivalents.some((known) => known.changes.some((change) => isSame(known, change, mutant)));
}

function isSame({ file, text }: Equivalent, [from, to]: readonly [string, string], mutant: Mutant): boolean {
  return mutant.file === file && mutant.from === from && mutant.to === to && mutant.text.includes(text);
}

function staleEquivalents(mutants: readonly Mutant[]): string[] {
  return equivalents.flatMap((known) =>
    known.changes
      .filter((change) => !mutants.some((mutant) => isSame(known, change, mutant)))
      .map(([from, to]) => `no such mutant any more: ${known.file} | ${known.text} | ${from} → ${to}`),
  );
}

function textOf({ file, line, text, from, to }: Mutant): string {
  return `${file}:${line} | ${text} | ${from.replaceAll(/\s+/g, ' ')} → ${to}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
