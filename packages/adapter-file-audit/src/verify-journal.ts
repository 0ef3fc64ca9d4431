import {
  type AuditRecord,
  type ChainHead,
  InvalidInputError,
  isKillswitchError,
  type PartitionHead,
} from '@agent-killswitch/core';
import { type JournalCorruptError, type JournalFault, JournalReadError } from './journal-errors.ts';
import { type JournalFileName, journalFiles } from './journal-files.ts';
import { storedRecords } from './stored-records.ts';

export interface VerifyJournalOptions {
  /** Chain ends that were kept elsewhere. Without them a journal that was cut off, or written anew, looks whole. */
  readonly heads?: readonly PartitionHead[];
  /** Told now and then how many records were checked so far. */
  readonly onProgress?: (count: number) => void;
  /** How long one read may take, in milliseconds. Default 30,000. */
  readonly readMs?: number;
}

/** Bytes at the end of a file that are no whole line: a crash left them, or somebody is writing, or spoilt the line. */
export interface TornEnd {
  readonly path: string;
  readonly bytes: number;
}

export type JournalReport =
  | {
      readonly ok: true;
      readonly count: number;
      /** The end of each chain. */
      readonly heads: readonly PartitionHead[];
      readonly torn: readonly TornEnd[];
    }
  | {
      readonly ok: false;
      /** The first bad record of the first bad journal; `line` counts from 1. */
      readonly at: {
        readonly partition: string;
        readonly seq: number;
        readonly eventId?: string;
        readonly path: string;
        readonly line: number;
      };
      /** A {@link JournalFault}; `head`: not the record that was there once; `truncated`: the record is missing. */
      readonly fault: JournalFault | 'head' | 'truncated';
    };

type Bad = JournalReport & { ok: false };

/**
 * Checks the journal at `path`, or every journal of that directory, those that `journaled` keeps in front of a sink
 * included, in constant memory; takes no lock and changes nothing, so that it may be written to meanwhile.
 * @throws JournalReadError, JournalVersionError; InvalidInputError if `path` names no journal, or if `heads` are all of
 *   other chains
 */
export async function verifyJournal(
  path: string,
  { heads = [], onProgress = () => {}, readMs = 30_000 }: VerifyJournalOptions = {},
): Promise<JournalReport> {
  const files = await journalFiles(path, readMs);
  const missing = missingOf(files, heads, path);
  if (missing !== undefined) return missing;
  // Nobody who mistypes a folder's name must be told that the record is whole.
  if (files.length === 0) throw new JournalReadError(path, new Error('there is no journal in it'));
  const ends: PartitionHead[] = [];
  const torn: TornEnd[] = [];
  let count = 0;
  for (const file of files) {
    const known = heads.filter(({ partition }) => partition === file.writer);
    const check = new FileCheck(file, known, () => onProgress(++count));
    const found = await check.run(readMs);
    if (found !== undefined) return found;
    if (check.torn > 0) torn.push({ path: file.path, bytes: check.torn });
    if (check.last !== undefined) ends.push({ partition: file.writer, ...check.last });
  }
  return { ok: true, count, heads: ends, torn };
}

/** A chain that was there once and of which there is no file. Segments go when they are delivered: no head names one. */
function missingOf(
  files: readonly JournalFileName[],
  heads: readonly PartitionHead[],
  path: string,
): Bad | undefined {
  const writers = new Set(files.map(({ writer }) => writer));
  const missing = heads.filter(({ partition }) => !writers.has(partition));
  const [gone] = missing;
  if (gone === undefined) return undefined;
  const isOneFile = files[0]?.path === path;
  const isInFront = files.length > 0 && files.every(({ isSegment }) => isSegment);
  if (missing.length === heads.length && (isOneFile || isInFront))
    throw new InvalidInputError('checkpoints', [`they name none of the journals at ${path}`]);
  if (isOneFile) return undefined;
  const { partition } = gone;
  return { ok: false, at: { partition, seq: 0, path, line: 1 }, fault: 'truncated' };
}

class FileCheck {
  readonly #file: JournalFileName;
  readonly #known: readonly PartitionHead[];
  readonly #onRecord: () => void;
  last: ChainHead | undefined;
  torn = 0;

  constructor(file: JournalFileName, known: readonly PartitionHead[], onRecord: () => void) {
    this.#file = file;
    this.#known = known;
    this.#onRecord = onRecord;
  }

  async run(readMs: number): Promise<Bad | undefined> {
    const records = storedRecords(this.#file.path, readMs);
    try {
      for (let step = await records.next(); ; step = await records.next()) {
        if (step.done === true) {
          this.torn = step.value;
          break;
        }
        const { seq, hash, event }: AuditRecord = step.value;
        if (this.#known.some((head) => head.seq === seq && head.hash !== hash))
          return this.#bad('head', event.id);
        this.last = { seq, hash };
        this.#onRecord();
      }
    } catch (error) {
      if (!isKillswitchError(error, 'journal-corrupt')) throw error;
      const { fault, eventId } = error as JournalCorruptError;
      return this.#bad(fault, eventId);
    } finally {
      await records.return(0);
    }
    const end = this.last?.seq ?? -1;
    return this.#known.some(({ seq }) => seq > end) ? this.#bad('truncated') : undefined;
  }

  /** The record that comes next: every one before it was as it should be, a line each. */
  #bad(fault: Bad['fault'], eventId?: string): Bad {
    const { path, writer: partition } = this.#file;
    const seq = (this.last?.seq ?? -1) + 1;
    return {
      ok: false,
      at: { partition, seq, ...(eventId !== undefined && { eventId }), path, line: seq + 1 },
      fault,
    };
  }
}
