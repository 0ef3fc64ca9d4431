/** Time, injected: tests and simulations run on their own (STYLE "Time and chance"). */
export interface Clock {
  /**
   * Wall-clock time: whole milliseconds since the Unix epoch. Never less than it was: deadlines are such times, and one that
   * moves away is one that is missed (I1). `systemClock` sees to that itself when the machine's clock is set back.
   */
  now(): number;
  /** Calls `fire` once after `ms` milliseconds (0 is allowed). The returned function cancels it; late calls do nothing. */
  setTimer(ms: number, fire: () => void): () => void;
}
