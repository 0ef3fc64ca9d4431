/**
 * Lets callers share runs of one piece of work. Everyone gets a run that starts after they asked, so nothing that they did
 * before is missed in it.
 *
 * Invariant: at most one run is under way and one is queued behind it.
 */
export class SharedRun<T> {
  readonly #work: () => Promise<T>;
  #current: Promise<unknown> | undefined;
  #queued: Promise<T> | undefined;
  #runs = 0;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  get runs(): number {
    return this.#runs;
  }

  next(): Promise<T> {
    this.#queued ??= this.#start(this.#current);
    return this.#queued;
  }

  async #start(before: Promise<unknown> | undefined): Promise<T> {
    await before;
    // Calls of the same turn join this run.
    await new Promise((resolve) => setImmediate(resolve));
    const run = this.#run();
    this.#queued = undefined;
    this.#current = run.then(
      () => {},
      () => {},
    );
    return run;
  }

  async #run(): Promise<T> {
    this.#runs += 1;
    return this.#work();
  }
}
