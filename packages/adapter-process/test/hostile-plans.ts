import { fixture } from './support/processes.ts';

/** One hostile agent: what to start, and how many lines it may have written when it is killed. */
export interface Plan {
  readonly name: string;
  readonly args: readonly string[];
  readonly killAfterLines: number;
  /** It is not spawned as an agent and carries no mark, but is adopted: before it does anything, or in the middle of its growth. */
  readonly adopted?: 'adoptedAtStart' | 'adoptedGrown';
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
 * Trees of all letters; every seventh forks without end, every seventh re-execs without end, every seventh is adopted without a
 * mark from a parent that never reaps it. Odd, so that each is held in both ways.
 */
export function planOf(round: number, random: (below: number) => number): Plan {
  if (round % 7 === 4) return endless('forks', 'forksOn', most.forks, [], random);
  if (round % 7 === 5) return endless('execs', 'reExecs', most.execs, [String(most.execs)], random);
  if (round % 7 !== 6) return tree(letters(random), random);
  const adopted = random(2) === 0 ? 'adoptedAtStart' : 'adoptedGrown';
  // What is adopted later has to live until then.
  const first = adopted === 'adoptedGrown' ? ['f'] : [];
  const plan = tree([...first, ...letters(random, true)], random);
  return { ...plan, adopted, deeds: { ...plan.deeds, heldAsZombie: 1, [adopted]: 1 } };
}

/**
 * Up to seven generations, at most 2³ branches.
 * @param unmarked whether it carries no mark anyway. Otherwise, once the mark is wiped (`e`), nothing leaves the tree: that
 *   escapes where it is held by its mark alone.
 */
function letters(random: (below: number) => number, unmarked = false): string[] {
  const plan: string[] = [];
  for (let length = 1 + random(7); length > 0; length -= 1) {
    const stays = plan.includes('e') && !unmarked;
    const branches = plan.filter((letter) => letter === 'b').length;
    const choice = [...(stays ? 'ftpx' : 'fsdtpxe'), ...(branches < 3 ? 'b' : '')];
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
