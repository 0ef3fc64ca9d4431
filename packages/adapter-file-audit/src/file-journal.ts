import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AuditEvent,
  type AuditQuery,
  type AuditRecord,
  type AuditSink,
  isKillswitchError,
  matchesQuery,
  type PartitionHead,
  requireOnFile,
  type Verification,
  type VerificationRequest,
} from '@agent-killswitch/core';
import { AppendQueue } from './append-queue.ts';
import { checkRecords } from './check-records.ts';
import {
  JournalClosedError,
  JournalCorruptError,
  JournalReadError,
  JournalWriteError,
} from './journal-errors.ts';
import { type Head, nextLine } from './journal-line.ts';
import { type OpenJournal, openJournal } from './open-journal.ts';
import { type FileJournalOptions, type Settings, settingsOf } from './options.ts';
import { readRecords } from './read-records.ts';
import { RecentIds } from './recent-ids.ts';
import { validEvents } from './valid-events.ts';
import { within } from './within.ts';

/** How many of the newest event ids are known, so that a batch that comes again adds nothing. */
const recentCapacity = 10_000;

export interface FileJournal extends AuditSink {
  /** The file. */
  readonly path: string;

  /**
   * Takes the lock and verifies the file; every other call does so too, at first use. Once done, does nothing.
   * @throws JournalLockedError, JournalCorruptError, JournalVersionError, JournalReadError, JournalWriteError. The next
   * call tries again, but a damaged file, or one of a newer version, stays refused until there is a new `fileJournal`.
   */
  open(): Promise<void>;

  /** Checks the file behind `after`, and that the newest record that this process has read or written is there. */
  verify(request?: VerificationRequest): Promise<Verification>;

  /** Writes what waits, then gives the file and its lock back. Later calls of anything else reject. Idempotent. */
  close(): Promise<void>;
}

/**
 * An append-only journal of audit events in `<directory>/<writer>.jsonl`: a record a line, chained by hash, fsynced before
 * `append` resolves (I4). Nothing is touched before first use.
 * @throws InvalidConfigurationError
 */
export function fileJournal(directory: string, options: FileJournalOptions = {}): FileJournal {
  return new Journal(settingsOf(directory, options));
}

/** What a journal was made with; `undefined` for what is none of this copy of the library. */
export function settingsOfJournal(journal: FileJournal): Settings | undefined {
  return journal instanceof Journal ? journal.settings : undefined;
}

class Journal implements FileJournal {
  readonly path: string;
  readonly settings: Settings;
  readonly #queue: AppendQueue;
  #recent = new RecentIds(recentCapacity);
  #head: Head;
  #opening: Promise<OpenJournal> | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    this.path = join(settings.directory, `${settings.writer}.jsonl`);
    this.#queue = new AppendQueue(settings.deadlineMs, (events) => this.#write(events));
  }

  async open(): Promise<void> {
    await this.#opened();
  }

  async append(events: readonly AuditEvent[]): Promise<void> {
    if (this.#closing !== undefined) throw new JournalClosedError(this.path);
    const valid = validEvents(events);
    if (valid.length === 0) return;
    await this.#queue.add(valid).catch((error: unknown) => {
      throw isKillswitchError(error) ? error : new JournalWriteError(this.path, 'append', error);
    });
  }

  async *read(query: AuditQuery = {}): AsyncGenerator<AuditRecord> {
    const { length } = (await this.#opened()).file;
    requireOnFile(query, await this.heads());
    const { deadlineMs } = this.settings;
    const file = await this.#openToRead();
    try {
      let line = 0;
      let read = 0;
      for await (const { record, end } of readRecords(this.path, file, length, deadlineMs)) {
        line += 1;
        read = end;
        if (matchesQuery(query, record)) yield record;
      }
      if (read !== length) throw new JournalCorruptError(this.path, line + 1, 'not-json');
    } finally {
      await within(deadlineMs, file.close()).catch(() => {});
    }
  }

  async heads(): Promise<readonly PartitionHead[]> {
    await this.#opened();
    return this.#head === undefined ? [] : [{ partition: this.settings.writer, ...this.#head }];
  }

  async verify({ after, forMs = Number.POSITIVE_INFINITY }: VerificationRequest = {}): Promise<Verification> {
    const { length } = (await this.#opened()).file;
    const head = this.#head;
    const { deadlineMs, writer: partition } = this.settings;
    const file = await this.#openToRead();
    try {
      const until = performance.now() + forMs;
      const size = Math.min(length, (await within(deadlineMs, file.stat())).size);
      const where = { path: this.path, file, size, writer: partition };
      const from = after?.partition === partition ? after : undefined;
      const found = await checkRecords({ ...where, after: from, head, until, deadlineMs });
      const { count, last, isComplete, bad } = found;
      const checked = { count, isAnchored: false, ...(last && { upTo: { partition, ...last } }) };
      if (bad === undefined) return { ok: true, isComplete, ...checked };
      const { fault, ...at } = bad;
      return { ok: false, at: { partition, ...at }, fault, ...checked };
    } catch (error) {
      throw isKillswitchError(error) ? error : new JournalReadError(this.path, error);
    } finally {
      await within(deadlineMs, file.close()).catch(() => {});
    }
  }

  #openToRead(): Promise<FileHandle> {
    return within(this.settings.deadlineMs, open(this.path, 'r')).catch((error: unknown) => {
      throw new JournalReadError(this.path, error);
    });
  }

  close(): Promise<void> {
    this.#closing ??= within(this.settings.deadlineMs, this.#giveBack()).catch((error: unknown) => {
      throw new JournalWriteError(this.path, 'close', error);
    });
    return this.#closing;
  }

  async #opened(): Promise<OpenJournal> {
    if (this.#closing !== undefined) throw new JournalClosedError(this.path);
    this.#opening ??= this.#openOnce();
    return within(this.settings.openDeadlineMs, this.#opening).catch((error: unknown) => {
      throw isKillswitchError(error) ? error : new JournalReadError(this.path, error);
    });
  }

  async #openOnce(): Promise<OpenJournal> {
    try {
      const recent = new RecentIds(recentCapacity);
      const opened = await openJournal(this.path, recent, this.settings.deadlineMs);
      this.#recent = recent;
      this.#head = opened.head;
      if (opened.repair) this.#tell(opened.repair);
      return opened;
    } catch (error) {
      const lasting =
        isKillswitchError(error, 'journal-corrupt') || isKillswitchError(error, 'journal-version');
      if (!lasting) this.#opening = undefined;
      throw error;
    }
  }

  #tell(repair: NonNullable<OpenJournal['repair']>): void {
    try {
      this.settings.onRepair?.(repair);
    } catch {
      // A listener never stops the journal (I5).
    }
  }

  async #write(events: readonly AuditEvent[]): Promise<void> {
    this.#opening ??= this.#openOnce();
    const { file } = await this.#opening;
    let head = this.#head;
    const ids = new Set<string>();
    const lines: string[] = [];
    for (const event of events) {
      if (ids.has(event.id) || this.#recent.has(event.id)) continue;
      const next = nextLine(head, this.settings.writer, event);
      head = next.head;
      ids.add(event.id);
      lines.push(next.line);
    }
    if (lines.length === 0) return;
    await file.append(Buffer.from(lines.join('')));
    this.#head = head;
    for (const id of ids) this.#recent.add(id);
  }

  async #giveBack(): Promise<void> {
    await this.#queue.idle();
    const opened = await this.#opening?.catch(() => undefined);
    if (opened === undefined) return;
    await opened.file.close();
    await opened.lock.release();
  }
}
