import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InvalidInputError } from '@agent-killswitch/core';
import { JournalReadError } from './journal-errors.ts';
import { writerPattern } from './options.ts';
import { within } from './within.ts';

/** One journal's file. Its chain has the writer's name. */
export interface JournalFileName {
  readonly path: string;
  readonly writer: string;
  /** Whether it is one of those that `journaled` keeps in front of a sink. */
  readonly isSegment: boolean;
}

/**
 * The journals at a path: the one that it names, or all of a directory, by name; so segments come in their order.
 * @throws JournalReadError, InvalidInputError for a file that is named as no journal is
 */
export async function journalFiles(path: string, deadlineMs: number): Promise<readonly JournalFileName[]> {
  let files: string[] | undefined;
  try {
    const isDirectory = (await within(deadlineMs, stat(path))).isDirectory();
    files = isDirectory ? await within(deadlineMs, readdir(path)) : undefined;
  } catch (error) {
    throw new JournalReadError(path, error);
  }
  if (files !== undefined)
    return files
      .sort()
      .map((file) => nameOf(join(path, file)))
      .filter((name) => name !== undefined);
  const name = nameOf(path);
  if (name !== undefined) return [name];
  throw new InvalidInputError('journal', [`${basename(path)}: a journal's file ends in .jsonl`]);
}

function nameOf(path: string): JournalFileName | undefined {
  const file = basename(path);
  const writer = file.replace(/\.jsonl$/, '');
  if (writer === file || !writerPattern.test(writer)) return undefined;
  return { path: join(dirname(path), file), writer, isSegment: /~\d{9,15}$/.test(writer) };
}
