import { judge } from './checks/index.ts';
import type { FaultKind } from './faults.ts';
import { type Happening, happeningsOf } from './happenings.ts';
import { playRound } from './round.ts';

/** Seeds of rounds that are played one after the other: `count` from `from` on. */
export interface Shift {
  readonly from: number;
  readonly count: number;
}

export interface ShiftResult {
  /** One text per round that broke a promise: its seed, what it broke, and the end of its trace. */
  readonly violations: ReadonlyArray<{ readonly seed: number; readonly text: string }>;
  readonly faultsFired: ReadonlyMap<FaultKind, number>;
  /** In how many rounds each came about. */
  readonly happened: ReadonlyMap<Happening, number>;
}

const tailLines = 60;
/** What every host does once a second whatever happens: in the way of whoever reads the end of a trace. */
const housekeeping = / store\.(renewLease|listLeases|listOpenOrders|listAgents cleanup:\w+)$/;

/** Plays the rounds on the real core, judges them, and plays one that broke a promise again for its trace. */
export async function playShift({ from, count }: Shift): Promise<ShiftResult> {
  const violations: Array<{ seed: number; text: string }> = [];
  const faultsFired = new Map<FaultKind, number>();
  const happened = new Map<Happening, number>();
  for (let n = 0; n < count; n++) {
    const seed = (from + n) >>> 0;
    const round = await playRound(seed);
    for (const [kind, times] of round.world.faults.fired)
      faultsFired.set(kind, (faultsFired.get(kind) ?? 0) + times);
    for (const name of happeningsOf(round)) happened.set(name, (happened.get(name) ?? 0) + 1);
    const broken = judge(round);
    if (broken.length > 0) violations.push({ seed, text: await tell(seed, broken) });
  }
  return { violations, faultsFired, happened };
}

async function tell(seed: number, broken: readonly string[]): Promise<string> {
  const trace: string[] = [];
  const again = judge(await playRound(seed, { trace: (line) => trace.push(line) }));
  const isSame = JSON.stringify(again) === JSON.stringify(broken);
  return [
    `seed ${seed}: ${broken.join('\n  ')}`,
    ...(isSame ? [] : [`played again it breaks something else: ${again.join('\n  ')}`]),
    `  the end of its trace (all of it: npm run campaign -- simulation --rounds 1 --seed ${seed}):`,
    ...trace
      .filter((line) => !housekeeping.test(line))
      .slice(-tailLines)
      .map((line) => `  ${line}`),
  ].join('\n');
}
