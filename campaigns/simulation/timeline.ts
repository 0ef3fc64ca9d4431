import type { SeededRandom } from '../seeded-random.ts';

interface Happening {
  readonly at: number;
  /** Drawn by chance: decides between happenings of the same millisecond. */
  readonly tie: number;
  /** `undefined` once it is cancelled. */
  fire: (() => void) | undefined;
}

/** How often a second happening of the same moment happens before the first one's promise callbacks have run. */
const atOnce = 0.1;
/** Turns of the event loop that are asked for in advance, so that not each one costs a look for real I/O. */
const turnsAhead = 32;

/** Virtual time: every timer and every answer of a port is a happening on it, in an order that the seed decides. */
export class Timeline {
  /** Milliseconds since the Unix epoch. */
  now: number;
  /** How many happenings there have been. */
  steps = 0;
  readonly #random: SeededRandom;
  readonly #heap: Happening[] = [];

  constructor(start: number, random: SeededRandom) {
    this.now = start;
    this.#random = random;
  }

  /** Calls `fire` in `ms` virtual milliseconds. The returned function cancels it. */
  after(ms: number, fire: () => void): () => void {
    const happening: Happening = { at: this.now + Math.max(0, ms), tie: this.#random.next(), fire };
    this.#push(happening);
    return () => {
      happening.fire = undefined;
    };
  }

  /** Lets time pass until `isDone`, or to `until`. After each step all promise callbacks run. Resolves with `isDone`. */
  run(until: number, isDone: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const finish = (): void => {
        isOver = true;
        resolve(isDone());
      };
      const turn = (): unknown => {
        if (isOver) return;
        try {
          if (isDone() || !this.#step(until)) return finish();
        } catch (error) {
          isOver = true;
          reject(error);
        }
        setImmediate(turn);
      };
      for (let i = 0; i < turnsAhead; i++) setImmediate(turn);
    });
  }

  /** The next happening, sometimes with its twins. `false`: nothing is left before `until`, and that is the time now. */
  #step(until: number): boolean {
    const next = this.#next(until);
    if (next === undefined) {
      this.now = Math.max(this.now, until);
      return false;
    }
    this.now = next.at;
    this.#fire(next);
    while (this.#random.chance(atOnce)) {
      const twin = this.#next(this.now);
      if (twin === undefined) break;
      this.#fire(twin);
    }
    return true;
  }

  #fire(happening: Happening): void {
    this.steps += 1;
    const { fire } = happening;
    happening.fire = undefined;
    fire?.();
  }

  #next(until: number): Happening | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.at <= until; first = this.#heap[0]) {
      this.#pop();
      if (first.fire !== undefined) return first;
    }
    return undefined;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(happening, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = child === right ? 2 * at + 2 : 2 * at + 1;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie);
}
