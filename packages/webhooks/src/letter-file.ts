import { constants, createReadStream } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type DeadLetter, deadLetterSchema } from './dead-letters.ts';
import { codeOf, makeFolder, syncFolder } from './folder.ts';

const removalSchema = z.strictObject({ removed: z.string() });
/** A line of the file: a letter that is kept from then on, or one that is kept no more. */
export type Entry = DeadLetter | z.infer<typeof removalSchema>;

/** No letter is as long: what is, is none of ours, and is not held in memory. */
const longestLine = 4 << 20;
/** So much is written before others get their turn. */
const chunkSize = 64 << 10;
/** So many damaged files are kept aside beside each other. */
const mostAside = 100;

export interface Reading {
  /** How many lines the file has; `undefined` if it has to be written anew before anything is added to it. */
  readonly lines: number | undefined;
  /** Whether there were lines that are none of ours. One that a crash has cut off is not counted: nobody was told that it is kept. */
  readonly isDamaged: boolean;
}

/** Reads the entries of a file in their order, a little at a time. @throws Error of the file system, unless there is no file. */
export async function readEntries(path: string, take: (entry: Entry) => void): Promise<Reading> {
  let lines = 0;
  let isDamaged = false;
  let rest = '';
  const takeLine = (line: string): void => {
    lines += 1;
    const entry = entryOf(line);
    if (entry === undefined) isDamaged = true;
    else take(entry);
  };
  try {
    for await (const chunk of createReadStream(path, 'utf8')) {
      const [first = '', ...others] = String(chunk).split('\n');
      rest += first;
      for (const next of others) {
        takeLine(rest);
        rest = next;
      }
      if (rest.length > longestLine) {
        isDamaged = true;
        rest = '';
      }
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { lines: undefined, isDamaged: false };
    throw error;
  }
  if (rest === '') return { lines, isDamaged };
  const last = entryOf(rest);
  if (last !== undefined) take(last);
  return { lines: undefined, isDamaged: isDamaged || (last === undefined && !rest.startsWith('{')) };
}

/** Durable when it resolves. @throws Error, also if there is no such file. */
export async function appendEntries(path: string, entries: readonly Entry[]): Promise<void> {
  await write(path, constants.O_WRONLY | constants.O_APPEND, entries);
}

/** The file holds these entries alone, whole after a crash at any point; its folder is made. @throws Error */
export async function rewrite(path: string, entries: readonly Entry[]): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  // Of one name: what a crash leaves of it is written over.
  const draft = `${path}.draft`;
  try {
    await write(draft, 'w', entries);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
}

/** Keeps a copy as `<path>.damaged`, `<path>.damaged-2` …: none takes the place of another. @throws Error */
export async function copyAside(path: string): Promise<void> {
  for (let n = 1; ; n += 1) {
    const aside = n === 1 ? `${path}.damaged` : `${path}.damaged-${n}`;
    try {
      await copyFile(path, aside, constants.COPYFILE_EXCL);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || n === mostAside) throw error;
    }
  }
}

async function write(path: string, flags: string | number, entries: readonly Entry[]): Promise<void> {
  // What happened to agents is nobody else's business.
  const handle = await open(path, flags, 0o600);
  try {
    for (const chunk of chunksOf(entries)) await handle.appendFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function* chunksOf(entries: readonly Entry[]): Generator<string> {
  let chunk = '';
  for (const entry of entries) {
    chunk += `${JSON.stringify(entry)}\n`;
    if (chunk.length < chunkSize) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function entryOf(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return deadLetterSchema.safeParse(value).data ?? removalSchema.safeParse(value).data;
  } catch {
    return undefined;
  }
}
