import type { Round } from '../round.ts';

/** Judges a round that is over by one promise; a line for every time it was broken, starting with the invariant's id. */
export type Check = (round: Round) => string[];

/** How long a store that did not answer is left alone by a host, the wait for that answer included. */
export const restMs = 1_200;
