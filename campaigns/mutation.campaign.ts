import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign } from './campaign.ts';
import { inTurn } from './changed-core/in-turn.ts';
import { packages } from './changed-core/module-graph.ts';
import { Thread } from './changed-core/thread.ts';
import { type Equivalent, equivalents } from './mutation/equivalents.ts';
import { type Mutant, mutantsOf } from './mutation/mutants.ts';
import { targets } from './mutation/targets.ts';
import { SeededRandom } from './seeded-random.ts';

const wantedScore = 0.9;
const timeoutMs = 2_000;
const limitMs = 30_000;

const campaign: Campaign = {
  name: 'mutation',
  summary:
    'Of small changes to lifecycle, policy, sweep, deadlines and audit at least 90 % are noticed by unit tests',
  defaultRounds: 10_000,
  testRounds: 20,

  async run({ rounds, seed, log }) {
    const mutants = Object.keys(targets).flatMap(mutantsIn);
    const violations = staleEquivalents(mutants);
    const wanted = mutants.filter((mutant) => !isEquivalent(mutant));
    const some = new SeededRandom(seed).shuffled(wanted).slice(0, rounds);
    const scores = new Map<string, { noticed: number; all: number }>();
    const survivors: string[] = [];
    await inTurn(
      some,
      () => new Thread(limitMs),
      async (mutant, thread) => {
        const score = scores.get(mutant.file) ?? { noticed: 0, all: 0 };
        scores.set(mutant.file, score);
        const { caughtBy } = await thread.run({
          changes: changesOf(mutant),
          files: testsOf(mutant),
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
    if (survivors.length > mostSurvivors(some.length))
      violations.push(`only ${percent(noticed / some.length)} noticed:\n${survivors.join('\n')}`);
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

function testsOf({ file }: Mutant): string[] {
  const names = new Set(targets[file.slice(0, -'.ts'.length)]);
  return [...names]
    .map((name) => `core/src/${name}.test.ts`)
    .filter((test) => existsSync(join(packages, test)));
}

/** Among few mutants chance alone may leave more than one in ten: two standard deviations are granted. */
function mostSurvivors(count: number): number {
  const rate = 1 - wantedScore;
  return count * rate + (count < 1_000 ? 2 * Math.sqrt(count * rate * wantedScore) : 0);
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
