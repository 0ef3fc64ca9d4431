import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { type AuditRecord, isKillswitchError } from '@agent-killswitch/core';
import { JournalCorruptError, JournalReadError, JournalVersionError } from './journal-errors.ts';
import { type CheckedLine, checkLine, type Head } from './journal-line.ts';
import { readLines } from './read-lines.ts';

export interface FiledRecord {
  readonly record: AuditRecord;
  /** Offset of the byte after its line. */
  readonly end: number;
}

/**
 * The records in the first `size` bytes, each verified, and to be of the file's writer. Stops in front of a last line that
 * is torn: one without its line feed, or one that is no JSON.
 * @throws JournalCorruptError, JournalVersionError, JournalReadError
 */
export async function* readRecords(
  path: string,
  file: FileHandle,
  size: number,
  deadlineMs: number,
): AsyncGenerator<FiledRecord> {
  const writer = basename(path, '.jsonl');
  let last: Head;
  try {
    for await (const { number, end, bytes, terminated } of readLines(file, size, deadlineMs)) {
      if (!terminated) return;
      const checked: CheckedLine =
        bytes === undefined ? { fault: 'not-a-record' } : checkLine(bytes, last, writer);
      if ('version' in checked) throw new JournalVersionError(path, number, checked.version);
      if ('fault' in checked) {
        if (checked.fault === 'not-json' && end === size) return;
        throw new JournalCorruptError(path, number, checked.fault, checked.eventId);
      }
      last = checked.record;
      yield { record: checked.record, end };
    }
  } catch (error) {
    throw isKillswitchError(error) ? error : new JournalReadError(path, error);
  }
}
