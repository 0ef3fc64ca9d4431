/** So many at once, and no queue: who finds no room is told so. A turn lasts until its work is over, whoever waits for it. */
export class Turns {
  #left: number;

  constructor(atOnce: number) {
    this.#left = atOnce;
  }

  /** `undefined`: there is no room. */
  take<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return work().finally(() => {
      this.#left += 1;
    });
  }
}
