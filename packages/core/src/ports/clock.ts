/** Time, injected: tests and simulations run on their own (STYLE "Time and chance"). */
export interface Clock {
  /** Wall-clock time: whole milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fire` once after `ms` milliseconds (0 is allowed). The returned function cancels it; late calls do nothing. */
  setTimer(ms: number, fire: () => void): () => void;
}
