import { fixture } from './support/processes.ts';

/** One hostile agent: what to start, and how many lines it may have written when it is killed. */
export interface Plan {
  readonly name: string;
  readonly args: readonly string[];
  readonly killAfterLines: number;
  /** How often it does what, by the words of the campaign's report. */
  readonly deeds: Readonly<Record<string, number>>;
}

const deedsOf: Readonly<Record<string, string>> = {
  s: 'sessions',
  t: 'ignoresSignals',
  d: 'doubleForks',
  x: 'reExecs',
  e: 'wipesMark',
  p: 'stopsItself',
};
const most = { forks: 200, execs: 300 };

/**
 * Trees of all letters; every seventh forks without end, every seventh re-execs without end, every seventh is adopted from a
 * parent that never reaps it. Odd, so that each is held in both ways.
 */
export function planOf(round: number, random: (below: number) => number): Plan {
  if (round % 7 === 4) return endless('forks', 'forksOn', most.forks, [], random);
  if (round % 7 === 5) return endless('execs', 'reExecs', most.execs, [String(most.execs)], random);
  if (round % 7 !== 6) return tree(letters(random, 'fsdtpxe'), random);
  const plan = tree(letters(random, 'ftpx'), random);
  return { ...plan, deeds: { ...plan.deeds, heldAsZombie: 1 } };
}

/** Up to seven generations, at most 2³ branches. Once the mark is wiped (`e`), nothing leaves the tree: that escapes. */
function letters(random: (below: number) => number, all: string): string[] {
  const plan: string[] = [];
  for (let length = 1 + random(7); length > 0; length -= 1) {
    const bare = plan.includes('e');
    const branches = plan.filter((letter) => letter === 'b').length;
    const choice = [...(bare ? 'ftpx' : all), ...(branches < 3 ? 'b' : '')];
    plan.push(choice[random(choice.length)] ?? 'f');
  }
  return plan;
}

function tree(plan: readonly string[], random: (below: number) => number): Plan {
  const deeds: Record<string, number> = {};
  for (const letter of plan) {
    const deed = deedsOf[letter];
    if (deed !== undefined) deeds[deed] = (deeds[deed] ?? 0) + 1;
  }
  const killAfterLines = 1 + random(plan.length * 2);
  return { name: plan.join(''), args: [fixture('tree.sh'), ...plan], killAfterLines, deeds };
}

function endless(
  name: string,
  deed: string,
  most: number,
  args: readonly string[],
  random: (below: number) => number,
): Plan {
  return {
    name,
    args: [fixture(`${name}.sh`), ...args],
    killAfterLines: 1 + random(most),
    deeds: { [deed]: 1 },
  };
}
