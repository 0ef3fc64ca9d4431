/** A signal came before the command could begin. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
    this.signal = signal;
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** While one is there, SIGINT, SIGTERM and SIGHUP do not end this process: whoever made it cleans up first. */
export class Interruption {
  readonly #signalled = Promise.withResolvers<never>();
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#signalled.reject(new Interrupted(signal));

  constructor() {
    this.#signalled.promise.catch(() => {});
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  /** The work's result, or Interrupted as soon as a signal has come; the work itself goes on unheard. */
  orElse<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#signalled.promise]);
  }

  end(): void {
    for (const signal of signals) process.off(signal, this.#onSignal);
  }
}
