import { describeError } from '@agent-killswitch/core';
import { SessionOverError, SessionStoreError } from './errors.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';
import { within } from './within.ts';

const storeMs = 2_000;

/** Resolves as `call` does. @throws SessionStoreError, after two seconds at the latest */
export async function askStore<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await within(storeMs, call);
  } catch (cause) {
    throw new SessionStoreError(`${what}: ${describeError(cause)}`, { cause });
  }
}

/**
 * The checkpoints of one session, of which only the last one counts. One is written at a time, so that none overtakes a later
 * one; of those that come meanwhile, the newest is next, and the others need no writing (I12).
 */
export class Checkpoints {
  readonly #store: SessionStore;
  readonly #base: SessionRecord;
  readonly #lost: (error: unknown) => void;
  #number = 0;
  #next: SessionRecord | undefined;
  #waiting: Array<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }> = [];
  #isWriting = false;
  #isOver = false;
  #newest: Promise<void> = Promise.resolve();

  /**
   * @param base the session's record, without a checkpoint
   * @param lost told at the end if the last one is not known to be stored
   */
  constructor(store: SessionStore, base: SessionRecord, lost: (error: unknown) => void) {
    this.#store = store;
    this.#base = base;
    this.#lost = lost;
  }

  /** Stores that the session is there. @throws SessionStoreError */
  begin(): Promise<void> {
    return this.#put(this.#base);
  }

  /** Resolves when this checkpoint, or a later one, is stored. @throws SessionOverError, SessionStoreError */
  async save(json: string, savedAt: number): Promise<void> {
    const { sessionId } = this.#base;
    if (this.#isOver)
      throw new SessionOverError(`Session "${sessionId}" is over: it takes no checkpoint any more`);
    this.#number += 1;
    await this.#put({ ...this.#base, checkpoint: { json, savedAt, number: this.#number } });
  }

  /** Takes no more. Resolves when the last one is stored, or could not be; after two seconds at the latest. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#newest.catch(this.#lost);
  }

  #put(record: SessionRecord): Promise<void> {
    this.#next = record;
    this.#newest = askStore(`Session "${record.sessionId}" could not be saved`, () => {
      const written = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
      if (!this.#isWriting) void this.#write();
      return written;
    });
    return this.#newest;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let record = this.#next; record !== undefined; record = this.#next) {
      this.#next = undefined;
      const waiting = this.#waiting;
      this.#waiting = [];
      try {
        await this.#store.put(record);
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
    this.#isWriting = false;
  }
}
