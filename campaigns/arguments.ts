import { randomInt } from 'node:crypto';

export type CampaignArguments =
  | { readonly list: true }
  | { readonly list: false; readonly name: string; readonly rounds?: number; readonly seed: number };

const maxSeed = 2 ** 32 - 1;

/** The command line of a campaign. @throws RangeError with one line that says what makes no sense. */
export function parseArguments(args: readonly string[], names: readonly string[]): CampaignArguments {
  if (args.length === 1 && args[0] === '--list') return { list: true };
  const [name, ...rest] = args;
  if (name === undefined || name.startsWith('-')) {
    throw new RangeError(
      `Usage: npm run campaign -- NAME [--rounds N] [--seed S], or --list; there are ${names.join(', ')}`,
    );
  }
  if (!names.includes(name)) throw new RangeError(`No campaign "${name}"; there are ${names.join(', ')}`);
  const given: { rounds?: number; seed?: number } = {};
  for (const [option, value] of optionPairs(rest)) {
    if (option === '--rounds') given.rounds = whole(option, value, 1, Number.MAX_SAFE_INTEGER);
    else if (option === '--seed') given.seed = whole(option, value, 0, maxSeed);
    else throw new RangeError(`Unknown argument "${option}"; known are --rounds and --seed`);
  }
  return { list: false, name, seed: randomInt(maxSeed + 1), ...given };
}

/** `--rounds 5` and `--rounds=5` alike. */
function optionPairs(args: readonly string[]): [string, string | undefined][] {
  const pairs: [string, string | undefined][] = [];
  for (let at = 0; at < args.length; at++) {
    const [option = '', value] = (args[at] ?? '').split('=', 2);
    pairs.push([option, value ?? args[++at]]);
  }
  return pairs;
}

function whole(option: string, text: string | undefined, least: number, most: number): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value < least || value > most) {
    throw new RangeError(`${option} takes a whole number from ${least} to ${most}, not ${text ?? 'nothing'}`);
  }
  return value;
}
