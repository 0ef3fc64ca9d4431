import type { Clock } from '../../ports/clock.ts';

/** A clock that goes on to its next timer when it is told to. */
export class VirtualTime implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #count = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): () => void {
    const id = this.#count++;
    this.#timers.set(id, { at: this.#now + Math.max(0, ms), fire });
    return () => void this.#timers.delete(id);
  }

  /** Fires the timer that is due first; of several, the one that was set first. */
  goOn(): void {
    let next: { readonly id: number; readonly at: number; readonly fire: () => void } | undefined;
    for (const [id, timer] of this.#timers)
      if (next === undefined || timer.at < next.at) next = { id, ...timer };
    if (next === undefined) throw new Error('Nothing is left to happen');
    this.#timers.delete(next.id);
    this.#now = next.at;
    next.fire();
  }
}

/** Resolves when every promise callback there is has run. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
