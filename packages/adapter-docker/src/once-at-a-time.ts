/**
 * At most one piece of work per key is under way; whoever asks meanwhile gets the outcome of that one. So a hung engine holds
 * one request per container, however often it is asked (I12).
 */
export class OnceAtATime {
  readonly #running = new Map<string, Promise<void>>();

  run(key: string, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(key));
    // Whoever asked may not wait for it.
    started.catch(() => {});
    this.#running.set(key, started);
    return started;
  }
}
