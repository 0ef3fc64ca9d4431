/** A mistake that somebody could make in core, made on purpose: the tests have to notice it. */
export interface DeliberateBug {
  /** What is wrong, in a few words. */
  readonly name: string;
  /** The promise that it breaks (docs/architecture.md). */
  readonly invariant: `I${number}`;
  /** Each text has to stand exactly once in its file. */
  readonly edits: ReadonlyArray<{
    /** Path below `packages/core/src`. */
    readonly file: string;
    readonly from: string;
    readonly to: string;
  }>;
  /**
   * Who is asked first: a test file, path below `packages`, after ` > ` what its tests' names contain. If that does not
   * notice the bug all others are asked.
   */
  readonly noticedBy: string;
}
