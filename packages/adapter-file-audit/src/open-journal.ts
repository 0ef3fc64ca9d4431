import { constants, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isKillswitchError } from '@agent-killswitch/core';
import { makeDirectory, syncDirectory } from './directory.ts';
import { JournalWriteError } from './journal-errors.ts';
import { JournalFile, openRegular } from './journal-file.ts';
import type { Head } from './journal-line.ts';
import { readRecords } from './read-records.ts';
import type { RecentIds } from './recent-ids.ts';
import { cutTornTail, type JournalRepair } from './torn-tail.ts';
import { within } from './within.ts';
import { takeLock, type WriterLock } from './writer-lock.ts';

/** A journal that is locked, verified from the first line to the last, and durable. */
export interface OpenJournal {
  readonly file: JournalFile;
  readonly lock: WriterLock;
  readonly head: Head;
  /** Present if a torn last line was cut off. */
  readonly repair?: JournalRepair;
}

/**
 * Opens or makes the journal at `path`; the ids of its newest events go to `recent`.
 * @throws JournalLockedError, JournalCorruptError, JournalVersionError, JournalReadError, JournalWriteError; then the
 * lock is released and the file is as it was.
 */
export async function openJournal(path: string, recent: RecentIds, deadlineMs: number): Promise<OpenJournal> {
  let lock: WriterLock | undefined;
  let file: FileHandle | undefined;
  try {
    await makeDirectory(dirname(path));
    lock = await takeLock(path.replace(/\.jsonl$/, '.lock'));
    file = await openRegular(path, constants.O_CREAT);
    await syncDirectory(dirname(path));
    const { size } = await file.stat();
    let head: Head;
    let length = 0;
    for await (const { record, end } of readRecords(path, file, size, deadlineMs)) {
      head = { seq: record.seq, hash: record.hash };
      length = end;
      recent.add(record.event.id);
    }
    const repair = length < size ? await cutTornTail(path, file, length, size) : undefined;
    // The last lines may be of a process that died before its fsync: they count from here on.
    await file.sync();
    const journal = await JournalFile.from(path, lock, file, length);
    return { file: journal, lock, head, ...(repair && { repair }) };
  } catch (error) {
    if (file) await within(deadlineMs, file.close()).catch(() => {});
    await lock?.release();
    throw isKillswitchError(error) ? error : new JournalWriteError(path, 'open', error);
  }
}
