/** What one host has seen of the scope of an order. */
export class Sight {
  /**
   * Resolves when the scope was looked through once, or that has failed or will not come about. Never rejects. Whoever
   * waits for it need not wait for cleanup and record, too.
   */
  readonly looked: Promise<void>;
  #hasLooked = false;
  #blind: string | undefined;
  #end = (): void => undefined;

  constructor() {
    this.looked = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Whether it was tried to look through the scope at least once. */
  get hasLooked(): boolean {
    return this.#hasLooked;
  }

  /** Why the scope could not be looked through at the last try. */
  get blind(): string | undefined {
    return this.#blind;
  }

  /** What a report after the deadline has to say of a look that is not over yet. */
  lackAt(now: number, { deadlineAt }: { readonly deadlineAt: number }): string | undefined {
    return now >= deadlineAt && !this.#hasLooked ? 'that goes on' : undefined;
  }

  /** The scope was looked through; or why that has failed. */
  tried(blind?: string): void {
    this.#blind = blind;
    this.#hasLooked = true;
    this.#end();
  }

  /** Nobody looks any more. */
  end(): void {
    this.#end();
  }
}
