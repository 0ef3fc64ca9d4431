import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { AuditRecord } from '@agent-killswitch/core';
import { JournalReadError } from './journal-errors.ts';
import { readRecords } from './read-records.ts';
import { within } from './within.ts';

/**
 * The records of a journal's file as it is found, each verified; no lock is taken and nothing is changed, so somebody may
 * be writing to it. Returns how many bytes behind the last of them are no whole line.
 * @throws JournalCorruptError, JournalVersionError, JournalReadError
 */
export async function* storedRecords(
  path: string,
  deadlineMs: number,
): AsyncGenerator<AuditRecord, number, undefined> {
  const file = await openToRead(path, deadlineMs);
  try {
    const { size } = await within(deadlineMs, file.stat());
    let last = 0;
    for await (const { record, end } of readRecords(path, file, size, deadlineMs)) {
      last = end;
      yield record;
    }
    return size - last;
  } finally {
    await within(deadlineMs, file.close()).catch(() => {});
  }
}

/** Without waiting for somebody to open the other end, should it be a pipe. */
async function openToRead(path: string, deadlineMs: number): Promise<FileHandle> {
  try {
    const file = await within(deadlineMs, open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    if ((await within(deadlineMs, file.stat())).isFile()) return file;
    await file.close();
    throw new Error('it is no file');
  } catch (error) {
    throw new JournalReadError(path, error);
  }
}
