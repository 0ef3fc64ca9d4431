export { type FileJournal, fileJournal } from './file-journal.ts';
export {
  JournalClosedError,
  JournalCorruptError,
  type JournalFault,
  JournalLockedError,
  JournalReadError,
  JournalVersionError,
  JournalWriteError,
} from './journal-errors.ts';
export { type JournaledAudit, journaled } from './journaled.ts';
export type { JournaledNews, JournaledOptions } from './journaled-options.ts';
export type { FileJournalOptions } from './options.ts';
export { type ReadJournalOptions, readJournal } from './read-journal.ts';
export type { JournalRepair } from './torn-tail.ts';
export {
  type JournalReport,
  type TornEnd,
  type VerifyJournalOptions,
  verifyJournal,
} from './verify-journal.ts';
