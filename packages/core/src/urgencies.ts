import type { Rung } from './route.ts';
import { nearest, notUrgent, type Urgency } from './urgency.ts';

/** The deadlines of all orders that one agent is pursued under. */
export class Urgencies {
  readonly #all = new Set<() => Urgency>();

  /** Given as a function, since an order's own deadlines can be shortened. */
  add(urgency: () => Urgency): void {
    this.#all.add(urgency);
  }

  /** The nearest of all. */
  get due(): Urgency {
    let due = notUrgent;
    for (const urgency of this.#all) due = nearest(due, urgency());
    return due;
  }

  /** How hard the agent is to be told to end now. */
  rung(now: number): Rung {
    const { killAt, forceAt } = this.due;
    return now >= forceAt ? 'force' : now >= killAt ? 'kill' : 'stop';
  }

  /** Whether every order's deadline has passed: one that has come since sets the pace anew (I5). */
  areOver(now: number): boolean {
    return [...this.#all].every((urgency) => now >= urgency().deadlineAt);
  }

  /** How many milliseconds there are until the next of them is due, `most` at most. */
  untilNext(now: number, most: number): number {
    const { killAt, forceAt, deadlineAt } = this.due;
    const coming = [killAt, forceAt, deadlineAt].filter((at) => at > now);
    return Math.min(most, ...coming.map((at) => at - now));
  }
}
