import type { Turn } from './turns.ts';

/** Picks one of the calls that wait, or `undefined` if every order from here on was gone through already. */
export type Choose = (waiting: readonly Turn[]) => Turn | undefined;

/** Whether two calls that wait lead to the same whichever comes first. */
export type Commute = (one: Turn, other: Turn) => boolean;

export interface Explored {
  /** Complete runs, each in an order of its own. */
  readonly runs: number;
  /** Runs given up since they only differed from an earlier one in the order of calls that commute. */
  readonly repeats: number;
}

/** More orders than this are refused: a race has to be cut smaller, never sampled. */
const mostRuns = 30_000;

interface Node {
  /** Everybody who waits here, in the order of their asking. */
  readonly turns: readonly Turn[];
  /** Calls that need not come next here: that was tried, or tried where it came to the same. */
  readonly asleep: Map<string, Turn>;
  chosen: Turn;
}

/**
 * Goes through all orders in which calls can take their turns, depth first. `run` plays once from the very beginning,
 * asking `choose` at every point; it must ask the same wherever it was answered the same. Every order is gone through
 * unless it differs from another only in neighbours that commute (sleep sets, Godefroid 1996).
 * @throws RangeError, and whatever `run` throws.
 */
export async function explore(
  run: (choose: Choose) => Promise<void>,
  commute: Commute = () => false,
): Promise<Explored> {
  const path: Node[] = [];
  let runs = 0;
  let repeats = 0;
  do {
    let depth = 0;
    let isRepeat = false;
    await run((waiting) => {
      const known = path[depth];
      const node = known ?? open(path.at(-1), waiting, commute);
      depth += 1;
      if (node === undefined) {
        isRepeat = true;
        return undefined;
      }
      if (known === undefined) path.push(node);
      if (namesOf(waiting) !== namesOf(node.turns))
        throw new Error(`Not replayable: ${namesOf(waiting)} wait where ${namesOf(node.turns)} did`);
      return waiting.find(({ key }) => key === node.chosen.key);
    });
    if (isRepeat) repeats += 1;
    else runs += 1;
    if (runs + repeats > mostRuns) throw new RangeError(`There are more than ${mostRuns} orders`);
    turnBack(path);
  } while (path.length > 0);
  return { runs, repeats };
}

function open(parent: Node | undefined, waiting: readonly Turn[], commute: Commute): Node | undefined {
  const asleep = new Map<string, Turn>();
  for (const turn of parent?.asleep.values() ?? []) {
    if (parent !== undefined && commute(turn, parent.chosen)) asleep.set(turn.key, turn);
  }
  const chosen = waiting.find(({ key }) => !asleep.has(key));
  return chosen && { turns: waiting.slice(), asleep, chosen };
}

/** To the last point where somebody else may come next. */
function turnBack(path: Node[]): void {
  for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
    node.asleep.set(node.chosen.key, node.chosen);
    const { asleep } = node;
    const next = node.turns.find(({ key }) => !asleep.has(key));
    if (next !== undefined) {
      node.chosen = next;
      return;
    }
    path.pop();
  }
}

function namesOf(turns: readonly Turn[]): string {
  return turns.map(({ key }) => key).join(', ');
}
