import { type AuditEvent, type AuditSink, eventRefused, isKillswitchError } from '@agent-killswitch/core';
import { JournalReadError } from './journal-errors.ts';
import type { JournaledNews } from './journaled-options.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';

const batchSize = 1_000;
const retryMs = { first: 100, longest: 5_000 };

/**
 * Carries what the journal has to the sink: the oldest first, one batch at a time, each until it is taken. A file is
 * removed when all of it was taken.
 *
 * - idle: the sink has everything. Left by `wake`.
 * - delivering: a batch is with the sink, or its next try is due.
 * - stopped: for good.
 */
export class Delivery {
  readonly #sink: AuditSink;
  readonly #segments: Segments;
  readonly #tell: (news: JournaledNews) => void;
  #isOpen = false;
  /** How many events the sink is given at once. */
  #size = batchSize;
  #isFailing = false;
  #isIdle = false;
  #stopped = false;
  #wake: () => void = () => {};
  #idlers: (() => void)[] = [];
  #running: Promise<void> | undefined;

  constructor(sink: AuditSink, segments: Segments, tell: (news: JournaledNews) => void) {
    this.#sink = sink;
    this.#segments = segments;
    this.#tell = tell;
  }

  /** Whether the sink has everything. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** There is something to deliver. */
  wake(): void {
    this.#isIdle = false;
    this.#running ??= this.#run();
    this.#wake();
  }

  /** Resolves `true` when the sink has everything that is in the journal, `false` when `ms` milliseconds have passed before. */
  done(ms: number): Promise<boolean> {
    this.wake();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#idlers = this.#idlers.filter((other) => other !== idler);
        resolve(false);
      }, ms);
      const idler = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#idlers.push(idler);
    });
  }

  /** Begins nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const segment = this.#segments.oldest;
      const isActive = segment === this.#segments.active;
      if (segment.queue === undefined) {
        if (isActive) this.#segments.rotate();
        else await this.#deliverFile(segment);
      } else if (segment.queue.length > 0) {
        const batch = segment.queue.slice(0, batchSize);
        if (await this.#deliver(batch)) segment.took(batch.length);
      } else if (!isActive && segment.isSealed) {
        await this.#remove(segment);
      } else {
        await this.#idle();
      }
    }
  }

  async #deliverFile(segment: Segment): Promise<void> {
    let batch: AuditEvent[] = [];
    const stored = segment.stored();
    try {
      for (let step = await stored.next(); ; step = await stored.next()) {
        if (step.done !== true) batch.push(step.value);
        if (step.done !== true && batch.length < batchSize) continue;
        if (batch.length > 0 && !(await this.#deliver(batch))) return;
        batch = [];
        if (step.done === true) return await this.#remove(segment, step.value);
      }
    } catch (error) {
      if (!isLost(error)) {
        this.#failed(error);
        return this.#pause(retryMs.longest);
      }
      // What stands before the damage was read, and goes to the sink; the file stays for whoever looks into it.
      if (batch.length > 0 && !(await this.#deliver(batch))) return;
      if (segment.records > 0 || !isGone(error)) this.#tell({ type: 'file-lost', path: segment.path, error });
      this.#segments.drop(segment);
    } finally {
      await stored.return(0);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#tell({ type: 'delivery-failed', error });
    this.#isFailing = true;
  }

  /** Resolves `true` when the sink has taken the batch, in as many parts as it needs; `false` when it was stopped before. */
  async #deliver(batch: readonly AuditEvent[]): Promise<boolean> {
    let rest = batch;
    for (let pause = retryMs.first; !this.#stopped; ) {
      if (rest.length === 0) return true;
      const part = rest.slice(0, this.#size);
      try {
        if (!this.#isOpen) await this.#sink.open?.();
        this.#isOpen = true;
        await this.#sink.append(part);
        if (this.#isFailing) this.#tell({ type: 'delivery-restored' });
        this.#isFailing = false;
        this.#size = Math.min(this.#size * 2, batchSize);
        rest = rest.slice(part.length);
        pause = retryMs.first;
      } catch (error) {
        if (isRefusal(error, part))
          return (await this.#deliverApart(part, error)) && this.#deliver(rest.slice(part.length));
        this.#failed(error);
        // A sink that is slow may not take all of it within its deadline, however often.
        this.#size = Math.ceil(part.length / 2);
        await this.#pause(pause);
        pause = Math.min(pause * 2, retryMs.longest);
      }
    }
    return false;
  }

  /** Halves what the sink refuses for good until it is one event, which must not be in the way of all that follow. */
  async #deliverApart(batch: readonly AuditEvent[], error: unknown): Promise<boolean> {
    const [event] = batch;
    if (event !== undefined && batch.length === 1) {
      this.#tell({ type: 'event-refused', event, error });
      return this.#deliver([eventRefused(event, error, Date.now())]);
    }
    const half = Math.ceil(batch.length / 2);
    return (await this.#deliver(batch.slice(0, half))) && (await this.#deliver(batch.slice(half)));
  }

  /** @param bytes how many at its end are no whole line */
  async #remove(segment: Segment, bytes = 0): Promise<void> {
    try {
      if (bytes === 0) await segment.remove();
      else this.#tell({ type: 'file-torn', path: await segment.setAside(), bytes });
    } catch (error) {
      // Delivered, but there to stay: it will be delivered once more after a restart, and dropped by the sink.
      this.#tell({ type: 'file-kept', path: segment.path, error });
    }
    this.#segments.drop(segment);
  }

  async #idle(): Promise<void> {
    this.#isIdle = this.#segments.all().length === 1;
    if (this.#isIdle) for (const idler of this.#idlers.splice(0)) idler();
    await this.#pause(this.#isIdle ? undefined : retryMs.first);
  }

  /** For so many milliseconds; without any, until somebody wakes it. A wake-up cuts short the pause of an idle one only. */
  #pause(ms: number | undefined): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        if (ms !== undefined && !this.#stopped) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether the sink says that it will never take one of these. A stand-in that is refused itself is an outage. */
function isRefusal(error: unknown, batch: readonly AuditEvent[]): boolean {
  return isKillswitchError(error, 'invalid-input') && batch[0]?.type !== 'audit.event-refused';
}

/** Whether trying again cannot help. */
function isLost(error: unknown): boolean {
  return (
    isKillswitchError(error, 'journal-corrupt') ||
    isKillswitchError(error, 'journal-version') ||
    isGone(error)
  );
}

function isGone(error: unknown): boolean {
  return error instanceof JournalReadError && error.errno === 'ENOENT';
}
