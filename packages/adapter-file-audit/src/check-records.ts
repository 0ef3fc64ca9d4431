import type { FileHandle } from 'node:fs/promises';
import { type JournalFault, JournalVersionError } from './journal-errors.ts';
import { type CheckedLine, checkLine, type Head } from './journal-line.ts';
import { readLines } from './read-lines.ts';

export interface CheckRequest {
  readonly path: string;
  readonly file: FileHandle;
  /** How many bytes of whole lines there are. */
  readonly size: number;
  readonly writer: string;
  /** Up to which record an earlier check has come. */
  readonly after: Head;
  /** A record that is known to be there. */
  readonly head: Head;
  /** When to stop, by `performance.now()`. */
  readonly until: number;
  /** For one read. */
  readonly deadlineMs: number;
}

export interface CheckedRecords {
  readonly count: number;
  readonly last: Head;
  readonly isComplete: boolean;
  readonly bad?: BadRecord;
}

/** `head`: not the record that is known to be there; `truncated`: the record is missing. */
interface BadRecord {
  readonly fault: JournalFault | 'head' | 'truncated';
  /** Where it should stand. */
  readonly seq: number;
  readonly eventId?: string;
}

/**
 * Checks the lines of a journal behind `after`, until there are none or time is up.
 * @throws JournalVersionError; what the system says
 */
export async function checkRecords(request: CheckRequest): Promise<CheckedRecords> {
  const { path, file, size, writer, after, head, until, deadlineMs } = request;
  const skipped = after === undefined ? 0 : after.seq + 1;
  let last = after;
  let count = 0;
  let lines = 0;
  let read = 0;
  const bad = (fault: BadRecord['fault'], eventId?: string): CheckedRecords => {
    const seq = Math.min(lines, (last?.seq ?? -1) + 1);
    return { count, last, isComplete: false, bad: { fault, seq, ...(eventId !== undefined && { eventId }) } };
  };
  for await (const { number, end, bytes, terminated } of readLines(file, size, deadlineMs)) {
    if (!terminated) break;
    if (number > skipped) {
      const checked: CheckedLine =
        bytes === undefined ? { fault: 'not-a-record' } : checkLine(bytes, last, writer);
      if ('version' in checked) throw new JournalVersionError(path, number, checked.version);
      if ('fault' in checked) return bad(checked.fault, checked.eventId);
      const { seq, hash, event } = checked.record;
      if (head?.seq === seq && head.hash !== hash) return bad('head', event.id);
      last = { seq, hash };
      count += 1;
    }
    lines = number;
    read = end;
    if (performance.now() >= until && count > 0 && end < size) return { count, last, isComplete: false };
  }
  if (read !== size) return bad('not-json');
  const isShort = lines < skipped || (head !== undefined && head.seq >= lines);
  return isShort ? bad('truncated') : { count, last, isComplete: true };
}
