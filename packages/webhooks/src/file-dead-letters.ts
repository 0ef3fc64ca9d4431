import { describeError, InvalidConfigurationError } from '@agent-killswitch/core';
import { type DeadLetter, type DeadLetters, faultsOfMost, put } from './dead-letters.ts';
import { DeadLettersError } from './errors.ts';
import { appendEntries, copyAside, type Entry, readEntries, rewrite } from './letter-file.ts';

/**
 * Kept in one file, a JSON object a line, whole after a crash at any point. Its folder is made. Each change is a line more;
 * when there are twice as many as letters may be kept, the file is written anew. The file is this process's alone. If it holds
 * lines that are none of ours, a copy stays aside as `<path>.damaged`, and the letters that can be read are kept.
 * @param most default 1,000
 * @throws InvalidConfigurationError
 */
export function fileDeadLetters(path: string, most = 1_000): DeadLetters {
  const faults = [
    ...(typeof path === 'string' && path !== '' ? [] : ['path: must be the name of a file']),
    ...faultsOfMost(most),
  ];
  if (faults.length > 0)
    throw new InvalidConfigurationError(faults.map((fault) => `fileDeadLetters ${fault}`));

  let letters = new Map<string, DeadLetter>();
  let reading: Promise<void> | undefined;
  /** How many lines the file has; `undefined`: it has to be written anew. */
  let lines: number | undefined;
  /** Not in the file yet. */
  let due: Entry[] = [];
  let writing: Promise<void> = Promise.resolve();
  let isAsked = false;

  const read = async (): Promise<void> => {
    const old = new Map<string, DeadLetter>();
    const found = await readEntries(path, (entry) => {
      if ('removed' in entry) old.delete(entry.removed);
      else put(old, [entry], most);
    });
    if (found.isDamaged) {
      await copyAside(path);
      await rewrite(path, [...old.values()]);
    }
    lines = found.isDamaged ? old.size : found.lines;
    put(old, [...letters.values()], most);
    letters = old;
  };
  const ready = (): Promise<void> => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined;
      throw new DeadLettersError(`Cannot read ${path}: ${describeError(error)}`, { cause: error });
    });
    return reading;
  };
  const append = async (entries: readonly Entry[]): Promise<boolean> => {
    if (lines === undefined || lines + entries.length > 2 * most) return false;
    const before = lines;
    // What is half written must have nothing after it.
    lines = undefined;
    try {
      await appendEntries(path, entries);
    } catch {
      return false;
    }
    lines = before + entries.length;
    return true;
  };
  const save = async (): Promise<void> => {
    const entries = due;
    due = [];
    if (entries.length <= most && (await append(entries))) return;
    lines = undefined;
    // They are in it, too.
    due = [];
    const all = [...letters.values()];
    try {
      await rewrite(path, all);
    } catch (error) {
      throw new DeadLettersError(`Cannot write ${path}: ${describeError(error)}`, { cause: error });
    }
    lines = all.length;
  };
  /** Many that ask at once share the second write. */
  const write = (): Promise<void> => {
    if (isAsked) return writing;
    isAsked = true;
    writing = writing
      .catch(() => undefined)
      .then(() => {
        isAsked = false;
        return save();
      });
    return writing;
  };
  const note = (entries: readonly Entry[]): void => {
    // Past that the file is written anew, with all there is (I12).
    if (due.length <= most) due.push(...entries.slice(-most));
  };
  return {
    async add(some) {
      put(letters, some, most);
      note(some);
      await ready();
      await write();
    },
    async list() {
      await ready();
      return [...letters.values()];
    },
    async remove(letterIds) {
      await ready();
      const gone = letterIds.filter((letterId) => letters.delete(letterId));
      note(gone.map((removed) => ({ removed })));
      if (gone.length > 0) await write();
    },
  };
}
