import type { AuditRecord } from '@agent-killswitch/core';
import { journalFiles } from './journal-files.ts';
import { storedRecords } from './stored-records.ts';

export interface ReadJournalOptions {
  /** Only the journal of this writer, which is the name of its chain. */
  readonly writer?: string;
  /** How long one read may take, in milliseconds. Default 30,000. */
  readonly readMs?: number;
}

/**
 * The records of the journal at `path`, or of every journal of that directory, one file after the other, each record
 * verified; takes no lock and changes nothing. Stops in front of a torn end, which `verifyJournal` tells of.
 * @throws JournalReadError, JournalCorruptError, JournalVersionError; InvalidInputError if `path` names no journal
 */
export async function* readJournal(
  path: string,
  { writer, readMs = 30_000 }: ReadJournalOptions = {},
): AsyncGenerator<AuditRecord> {
  for (const file of await journalFiles(path, readMs))
    if (writer === undefined || file.writer === writer) yield* storedRecords(file.path, readMs);
}
