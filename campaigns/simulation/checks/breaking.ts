import type { Round } from '../round.ts';

/** Changes a round that kept its promises into one that broke one; `undefined` if there is nothing in it to break. */
export type Breakage = (round: Round) => Round | undefined;

export const never: number = Number.POSITIVE_INFINITY;

/** The round with the change, if there is something to change. */
export function after<T>(
  round: Round,
  found: T | undefined,
  change: (found: NonNullable<T>) => unknown,
): Round | undefined {
  if (found === undefined || found === null || found === false) return undefined;
  change(found);
  return round;
}

export function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
