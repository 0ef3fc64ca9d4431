import { askStore, storeMs } from './ask-store.ts';
import { SessionOverError } from './errors.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';
import { within } from './within.ts';

const longestPauseMs = 3_600_000;
/** So often the newest is tried once more, after a late call may have put an older one in its place. */
const mostRepairs = 3;

export interface CheckpointsHost {
  readonly store: Pick<SessionStore, 'put'>;
  /** Told if the last one is not known to be stored: at the end, or when a late call has undone it and it cannot be put back. */
  readonly lost: (error: unknown) => void;
  /** Told of each call of the store that has not returned in time. */
  readonly hung: (error: unknown) => void;
  /** How long a call is waited for, in milliseconds. Default 2,000. */
  readonly waitMs?: number;
}

/**
 * The checkpoints of one session, of which only the last one counts. One is written at a time, so that none overtakes a later
 * one; of those that come meanwhile, the newest is next, and the others need no writing (I12).
 *
 * A call of the store that does not return in time is given up, and the next one is made. Should it return after all, it may have
 * put an older checkpoint in the place of a newer one: the newest is then written once more. A store may hold on to whatever was
 * given to such a call, so each one that is out doubles the pause before the next (I12); at the end the last one is tried at once.
 */
export class Checkpoints {
  readonly #host: CheckpointsHost;
  readonly #base: SessionRecord;
  readonly #waitMs: number;
  #number = 0;
  #latest: SessionRecord;
  /** To be written next. */
  #next: SessionRecord | undefined;
  /** Settles with the next write. */
  #written: PromiseWithResolvers<void> = promised();
  #newest: Promise<void> = Promise.resolve();
  #isWriting = false;
  #isOver = false;
  /** Calls that are given up and have not returned. */
  #out = 0;
  #pausedUntil = 0;
  #repairs = 0;

  /** @param base the session's record, without a checkpoint */
  constructor(host: CheckpointsHost, base: SessionRecord) {
    this.#host = host;
    this.#base = base;
    this.#latest = base;
    this.#waitMs = host.waitMs ?? storeMs;
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
    if (this.#next !== undefined && !this.#isWriting) void this.#put(this.#next);
    await this.#newest.catch(this.#host.lost);
  }

  #put(record: SessionRecord): Promise<void> {
    this.#latest = record;
    this.#next = record;
    const { promise } = this.#written;
    const what = `Session "${record.sessionId}" could not be saved`;
    this.#newest = askStore(
      what,
      () => {
        if (!this.#isWriting) void this.#write();
        return promise;
      },
      this.#waitMs,
    );
    return this.#newest;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#next !== undefined) {
      const { resolve, reject } = this.#written;
      this.#written = promised();
      if (!this.#isOver && performance.now() < this.#pausedUntil) {
        reject(new Error(`the store has not returned from ${this.#out} calls; it is asked again later`));
        break;
      }
      const record = this.#next;
      this.#next = undefined;
      try {
        await this.#call(record);
        this.#repairs = 0;
        resolve();
      } catch (error) {
        reject(error);
        if (record === this.#latest) this.#repairAgain(error);
      }
    }
    this.#isWriting = false;
  }

  /** @throws whatever the store does, or that it has not answered in time */
  async #call(record: SessionRecord): Promise<void> {
    let isOut = true;
    const call = (async () => this.#host.store.put(record))();
    const returned = call.catch(() => undefined);
    void returned.then(() => {
      isOut = false;
    });
    try {
      await within(this.#waitMs, () => call);
    } catch (error) {
      if (isOut) {
        this.#giveUp(error);
        void returned.then(() => this.#returned(record));
      }
      throw error;
    }
  }

  #giveUp(error: unknown): void {
    this.#out += 1;
    const pauseMs = Math.min(this.#waitMs * (2 ** (this.#out - 1) - 1), longestPauseMs);
    this.#pausedUntil = performance.now() + pauseMs;
    this.#host.hung(error);
  }

  #returned(record: SessionRecord): void {
    this.#out -= 1;
    this.#pausedUntil = 0;
    // Also if it has failed: what it was to store may be stored all the same.
    if (record !== this.#latest) {
      this.#repairs = mostRepairs;
      this.#next ??= this.#latest;
    }
    if (!this.#isWriting) void this.#write();
  }

  /** Nobody waits for the newest to be written once more. */
  #repairAgain(error: unknown): void {
    if (this.#repairs === 0) return;
    this.#repairs -= 1;
    if (this.#repairs > 0) this.#next ??= this.#latest;
    else this.#host.lost(error);
  }
}

function promised(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>();
  // Nobody may be waiting for it.
  made.promise.catch(() => undefined);
  return made;
}
