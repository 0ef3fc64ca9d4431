import type { AuditEvent } from '@agent-killswitch/core';
import { timedOut } from './within.ts';

interface Waiting {
  readonly events: readonly AuditEvent[];
  settle(error?: unknown): void;
}

/** An append that comes while this many events wait is refused (I12). */
const maxWaitingEvents = 20_000;
/** Appends that wait together are written together, up to this many events; one larger append goes alone. */
const maxGroupEvents = 1_000;

/**
 * Group commit: what arrives while one write is under way is written next, together. `write` gets whole appends, is
 * never called twice at once, and takes or rejects its group as a whole.
 */
export class AppendQueue {
  readonly #write: (events: readonly AuditEvent[]) => Promise<void>;
  readonly #deadlineMs: number;
  #waiting: Waiting[] = [];
  #waitingEvents = 0;
  #running: Promise<void> | undefined;

  constructor(deadlineMs: number, write: (events: readonly AuditEvent[]) => Promise<void>) {
    this.#deadlineMs = deadlineMs;
    this.#write = write;
  }

  /**
   * Settles with the write of its group; rejects after the deadline, and then is not begun any more. A write that was
   * begun and ends later counts.
   */
  add(events: readonly AuditEvent[]): Promise<void> {
    if (this.#waiting.length > 0 && this.#waitingEvents + events.length > maxWaitingEvents) {
      return Promise.reject(Object.assign(new Error('too many events wait'), { code: 'EAGAIN' }));
    }
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiting: Waiting = { events, settle };
      const timer = setTimeout(() => {
        if (this.#waiting.includes(waiting)) {
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          this.#waitingEvents -= events.length;
        }
        settle(timedOut(this.#deadlineMs));
      }, this.#deadlineMs);
      this.#waiting.push(waiting);
      this.#waitingEvents += events.length;
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Appends made in the same turn as the first one join its group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group.flatMap((waiting) => waiting.events));
        for (const waiting of group) waiting.settle();
      } catch (error) {
        for (const waiting of group) waiting.settle(error ?? new Error('the write failed'));
      }
    }
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let events = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && events + waiting.events.length > maxGroupEvents) break;
      events += waiting.events.length;
      count += 1;
    }
    this.#waitingEvents -= events;
    return this.#waiting.splice(0, count);
  }
}
