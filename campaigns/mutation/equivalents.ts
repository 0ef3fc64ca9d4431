/** A mutant that does what the original does, so that no test can tell the two apart. */
export interface Equivalent {
  /** Path below `packages/core/src`. */
  readonly file: string;
  /** What its line contains. */
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export const equivalents: readonly Equivalent[] = [];
