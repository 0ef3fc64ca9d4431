import { type Commute, type Explored, explore } from './explore.ts';
import type { RaceWorld } from './race-world.ts';
import { quiet } from './virtual-time.ts';

export interface Race {
  /** A world of its own for every run, with everything in it that was there before the race. */
  readonly world: () => Promise<RaceWorld>;
  /** What is done at the same time. */
  readonly commands: (world: RaceWorld) => ReadonlyArray<Promise<unknown>>;
  /** Whether nothing is left that could race: the rest goes on in the order of asking. */
  readonly isOver: (world: RaceWorld) => boolean | Promise<boolean>;
  /** What is wrong at the end, one text each; a command that was refused is an error in `results`. */
  readonly faults: (
    world: RaceWorld,
    results: readonly PromiseSettledResult<unknown>[],
  ) => Promise<string[]> | string[];
  readonly commute?: Commute;
}

export interface Raced extends Explored {
  /** Faults with the order that led to them, the first few. */
  readonly faults: readonly string[];
}

const mostFaults = 3;
const settleMs = 3_000;

/** Runs a race in every order there is. Time goes on only when no call waits: no deadline passes on the way. */
export async function race({ world: make, commands, isOver, faults: judge, commute }: Race): Promise<Raced> {
  const faults: string[] = [];
  const explored = await explore(async (choose) => {
    const world = await make();
    const { turns } = world;
    turns.taken.length = 0;
    turns.hold();
    const running = Promise.allSettled(commands(world));
    for (await quiet(); !(await isOver(world)); await quiet()) {
      if (turns.waiting.length === 0) {
        world.goOn();
        continue;
      }
      const turn = choose(turns.waiting);
      if (turn === undefined) return;
      turns.take(turn);
    }
    const order = turns.taken.join(', ');
    const results = await world.finish(running);
    await world.pass(settleMs);
    for (const fault of await judge(world, results)) {
      if (faults.length < mostFaults) faults.push(`${fault}, after ${order}`);
    }
  }, commute);
  return { ...explored, faults };
}
