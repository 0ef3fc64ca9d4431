import { link, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AuditEvent } from '@agent-killswitch/core';
import { syncDirectory } from './directory.ts';
import { type FileJournal, fileJournal } from './file-journal.ts';
import { errnoOf, JournalWriteError } from './journal-errors.ts';
import type { Settings } from './options.ts';
import { storedRecords } from './stored-records.ts';

/** More events than this are not kept in memory for delivery; they are read from the file then (I12). */
const maxQueued = 1_000;

/** One file of the journal in front of a sink, with what of it is not delivered yet. */
export class Segment {
  readonly number: number;
  readonly path: string;
  /** How many events it was given. */
  records = 0;
  /** Appended and not delivered, in order. `undefined`: too many, or not sure; the whole file has to be delivered. */
  queue: AuditEvent[] | undefined = [];
  readonly #settings: Settings;
  /** Until it is sealed. */
  #journal: FileJournal | undefined;
  #appending = 0;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, number: number) {
    const { directory, deadlineMs, openDeadlineMs } = settings;
    const writer = segmentName(settings.writer, number);
    this.#settings = settings;
    this.number = number;
    this.path = join(directory, `${writer}.jsonl`);
    this.#journal = fileJournal(directory, { writer, deadlineMs, openDeadlineMs });
  }

  /** One that an earlier process left behind. */
  static found(settings: Settings, number: number): Segment {
    const segment = new Segment(settings, number);
    segment.queue = undefined;
    void segment.seal();
    return segment;
  }

  /** Whether nothing was ever written to it, as far as anybody knows. */
  get isBlank(): boolean {
    return this.records === 0 && this.queue !== undefined && this.#appending === 0;
  }

  /** Whether nothing is added to it any more. */
  get isSealed(): boolean {
    return this.#closing !== undefined && this.#appending === 0;
  }

  /** Makes the file. @throws as {@link FileJournal.open} */
  async open(): Promise<void> {
    await this.#journal?.open();
  }

  async append(events: readonly AuditEvent[]): Promise<void> {
    const journal = this.#journal;
    if (journal === undefined) throw new JournalWriteError(this.path, 'append', new Error('it is sealed'));
    this.#appending += 1;
    try {
      await journal.append(events);
      this.records += events.length;
      this.queue = this.queue && [...this.queue, ...events];
      if (this.queue !== undefined && this.queue.length > maxQueued) this.queue = undefined;
    } catch (error) {
      // A write that ended after its deadline counts, and is in the file alone.
      if (error instanceof JournalWriteError && (this.records > 0 || error.errno === 'ETIMEDOUT'))
        this.#requeue(error);
      throw error;
    } finally {
      this.#appending -= 1;
    }
  }

  /** Has the first `count` of the queue delivered. */
  took(count: number): void {
    this.queue = this.queue?.slice(count);
  }

  /** Ends it: it gets no more events, and its file and lock are given back. Never rejects. */
  seal(): Promise<void> {
    this.#closing ??= this.#journal?.close().catch(() => {}) ?? Promise.resolve();
    // With it goes what it knows of the newest ids.
    this.#journal = undefined;
    return this.#closing;
  }

  /**
   * Its events from the file, from the first one on. Returns how many bytes at its end are no whole line.
   * @throws JournalCorruptError, JournalVersionError, JournalReadError
   */
  async *stored(): AsyncGenerator<AuditEvent, number, undefined> {
    await this.seal();
    const records = storedRecords(this.path, this.#settings.deadlineMs);
    try {
      for (;;) {
        const step = await records.next();
        if (step.done === true) return step.value;
        yield step.value.event;
      }
    } finally {
      await records.return(0);
    }
  }

  /** Whether its file is still under its name. */
  async isThere(): Promise<boolean> {
    try {
      await stat(this.path);
      return true;
    } catch (error) {
      return errnoOf(error) !== 'ENOENT';
    }
  }

  /** Removes the file, whose events are all delivered. */
  async remove(): Promise<void> {
    await this.seal();
    // A process that was killed left its lock behind, too.
    for (const path of [this.path, this.path.replace(/\.jsonl$/, '.lock')]) {
      await unlink(path).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error;
      });
    }
    await syncDirectory(dirname(this.path)).catch(() => {});
  }

  /** Gives the file another name, under which nobody delivers it again: what is torn may be evidence. */
  async setAside(): Promise<string> {
    for (let n = 1; ; n += 1) {
      const savedTo = this.path.replace(/\.jsonl$/, `.torn-${n}`);
      try {
        await link(this.path, savedTo);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') continue;
        throw error;
      }
      await this.remove();
      return savedTo;
    }
  }

  #requeue(error: JournalWriteError): void {
    // A file that is gone has nothing that could be read; what is in memory is all there is.
    if (error.errno !== 'ENOENT') this.queue = undefined;
  }
}

const digits = 9;

function segmentName(writer: string, number: number): string {
  return `${writer}~${String(number).padStart(digits, '0')}`;
}

/** The number of the segment that a file is, or `undefined`. */
export function segmentNumber(writer: string, file: string): number | undefined {
  const match = /^(.*)~(\d{9,15})\.jsonl$/.exec(file);
  return match?.[1] === writer ? Number(match[2]) : undefined;
}
