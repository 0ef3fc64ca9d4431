import {
  type AuditEvent,
  type AuditQuery,
  type AuditRecord,
  type AuditSink,
  AuditUnavailableError,
  canonical,
  describeError,
  InvalidConfigurationError,
  isKillswitchError,
  matchesQuery,
  type PartitionHead,
} from '@agent-killswitch/core';
import { Delivery } from './delivery.ts';
import { type FileJournal, settingsOfJournal } from './file-journal.ts';
import { JournalClosedError } from './journal-errors.ts';
import {
  type JournaledNews,
  type JournaledOptions,
  type JournaledSettings,
  journaledSettings,
} from './journaled-options.ts';
import type { Settings } from './options.ts';
import { Segments } from './segments.ts';
import { storedRecords } from './stored-records.ts';
import { within } from './within.ts';

/** How often it looks whether its file is still there while nobody writes, in milliseconds. */
const lookMs = 1_000;
/** The files' names have a number behind it. */
const maxWriterLength = 90;
/** How long the sink gets to take what the journal could not. */
const directMs = 2_000;

export interface JournaledAudit extends AuditSink {
  /** @throws JournalLockedError, JournalWriteError. What is wrong with the sink is told to `onNews` instead. */
  open(): Promise<void>;
  /**
   * What is in the files now, the oldest first; a part of that the sink may have already. Of a damaged file, what stands
   * before the damage.
   * @throws JournalReadError, also if a file was delivered and removed meanwhile
   */
  readUndelivered(query?: AuditQuery): AsyncIterable<AuditRecord>;
  /** Resolves `true` when the sink has everything, `false` when `ms` milliseconds have passed before. */
  delivered(ms: number): Promise<boolean>;
  /** Delivers for up to `ms` milliseconds more (default 2,000), then ends; what is left is delivered after the next `open`. */
  close(ms?: number): Promise<void>;
}

/**
 * A sink that never keeps anybody waiting: an append is done when the journal has it on the disk, and is carried to
 * `sink` from there, in order, once (I4, I5). `journal` says where, and under which name, the files are:
 * `<writer>~<n>.jsonl`; it is not opened itself.
 * @throws InvalidConfigurationError
 */
export function journaled(
  sink: AuditSink,
  journal: FileJournal,
  options: JournaledOptions = {},
): JournaledAudit {
  const where = settingsOfJournal(journal);
  if (where === undefined)
    throw new InvalidConfigurationError(['journaled: journal must be a fileJournal()']);
  if (where.writer.length > maxWriterLength)
    throw new InvalidConfigurationError([
      `journaled: the journal's writer must have at most ${maxWriterLength} characters`,
    ]);
  return new Journaled(sink, where, journaledSettings(options));
}

class Journaled implements JournaledAudit {
  readonly #sink: AuditSink;
  readonly #where: Settings;
  readonly #settings: JournaledSettings;
  /** Of the sink, once it has everything; absent if the sink cannot tell. */
  readonly verify?: NonNullable<AuditSink['verify']>;
  #opening: Promise<Opened> | undefined;
  #closing: Promise<void> | undefined;
  #isFailing = false;

  constructor(sink: AuditSink, where: Settings, settings: JournaledSettings) {
    this.#sink = sink;
    this.#where = where;
    this.#settings = settings;
    const verify = sink.verify?.bind(sink);
    if (verify === undefined) return;
    this.verify = async (request) => {
      await this.#caughtUp();
      return verify(request);
    };
  }

  async open(): Promise<void> {
    await this.#opened();
  }

  async append(events: readonly AuditEvent[]): Promise<void> {
    const { segments, delivery } = await this.#opened();
    if (events.length === 0) return;
    const wasIdle = delivery.isIdle;
    try {
      await segments.append(events, (error) => this.#switched(segments, error));
    } catch (error) {
      if (!isKillswitchError(error) || isKillswitchError(error, 'invalid-input')) throw error;
      this.#failed(error);
      // Only if nothing that came before is still on its way: the order is kept.
      if (!wasIdle) throw error;
      await within(directMs, this.#sink.append(events)).catch(() => {
        throw error;
      });
      return;
    }
    this.#isFailing = false;
    delivery.wake();
  }

  async *read(query: AuditQuery = {}): AsyncGenerator<AuditRecord> {
    await this.#caughtUp();
    yield* this.#sink.read(query);
  }

  async *readUndelivered(query: AuditQuery = {}): AsyncGenerator<AuditRecord> {
    const { segments } = await this.#opened();
    for (const { path } of [...segments.all()]) {
      try {
        for await (const record of storedRecords(path, this.#where.deadlineMs))
          if (matchesQuery(query, record)) yield record;
      } catch (error) {
        // Told by the delivery, which cannot read on either.
        if (!isKillswitchError(error, 'journal-corrupt') && !isKillswitchError(error, 'journal-version'))
          throw error;
      }
    }
  }

  async heads(): Promise<readonly PartitionHead[]> {
    await this.#caughtUp();
    return this.#sink.heads();
  }

  async delivered(ms: number): Promise<boolean> {
    return (await this.#opened()).delivery.done(ms);
  }

  close(ms = 2_000): Promise<void> {
    this.#closing ??= this.#end(ms);
    return this.#closing;
  }

  async #end(ms: number): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    if (opened === undefined) return;
    await opened.delivery.done(ms);
    opened.delivery.stop();
    clearInterval(opened.looking);
    await opened.segments.close();
  }

  async #opened(): Promise<Opened> {
    if (this.#closing !== undefined) throw new JournalClosedError(this.#where.writer);
    this.#opening ??= this.#openOnce();
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async #openOnce(): Promise<Opened> {
    const segments = await Segments.open(this.#where, this.#settings.maxFileEvents);
    const delivery = new Delivery(this.#sink, segments, (news) => this.#tell(news));
    delivery.wake();
    const looking = setInterval(() => void this.#look(segments), lookMs);
    looking.unref();
    return { segments, delivery, looking };
  }

  /** A reader must not miss what is on record: either the sink has all of it, or there is no answer. */
  async #caughtUp(): Promise<void> {
    const { delivery } = await this.#opened();
    if (await delivery.done(this.#settings.deliverMs)) return;
    throw new AuditUnavailableError(
      'The audit sink does not have everything yet that is in the journal: try again',
    );
  }

  async #look(segments: Segments): Promise<void> {
    const { active } = segments;
    const { path } = active;
    if (this.#closing !== undefined || (await active.isThere()) || segments.active !== active) return;
    segments.rotate();
    const error = new Error('it was deleted or moved away');
    await segments.active.open().then(
      () => this.#tell({ type: 'file-switched', path, error }),
      (failure: unknown) => this.#failed(failure),
    );
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#tell({ type: 'journal-failed', error });
    this.#isFailing = true;
  }

  #switched(segments: Segments, error: unknown): void {
    this.#tell({ type: 'file-switched', path: segments.active.path, error });
  }

  #tell(news: JournaledNews): void {
    try {
      if (this.#settings.onNews !== undefined) this.#settings.onNews(news);
      else console.error(lineOf(news));
    } catch {
      // A listener never stops the journal (I5).
    }
  }
}

interface Opened {
  readonly segments: Segments;
  readonly delivery: Delivery;
  readonly looking: NodeJS.Timeout;
}

function lineOf(news: JournaledNews): string {
  const path = 'path' in news ? ` ${news.path}` : '';
  const error = 'error' in news ? `: ${describeError(news.error)}` : '';
  const bytes = 'bytes' in news ? `: ${news.bytes} bytes` : '';
  const event = 'event' in news ? ` ${canonical(news.event)}` : '';
  return `agent-killswitch audit: ${news.type}${path}${bytes}${error}${event}`;
}
