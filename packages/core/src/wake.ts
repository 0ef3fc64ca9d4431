import type { Clock } from './ports/clock.ts';

/** Lets one loop sleep until a time or until it is woken. A call to `wake` while nobody sleeps ends the next sleep at once. */
export class Wake {
  readonly #clock: Clock;
  #woken = false;
  #resume: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#resume?.();
  }

  async sleep(ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.setTimer(Math.max(0, ms), resolve);
        this.#resume = () => {
          cancel();
          resolve();
        };
      });
      this.#resume = undefined;
    }
    this.#woken = false;
  }
}

/** Resolves when `work`, which never rejects, is done, and after `ms` milliseconds at the latest. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.setTimer(ms, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
}
