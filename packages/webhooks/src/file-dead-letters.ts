import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { describeError } from '@agent-killswitch/core';
import { type DeadLetter, type DeadLetters, deadLetterSchema, put } from './dead-letters.ts';
import { DeadLettersError } from './errors.ts';

/**
 * Kept in one file, a JSON object a line, whole after a crash at any point. The file is this process's alone. Lines that are
 * none of ours stay away from the rest: the file is set aside as `<path>.damaged` and a new one begun.
 * @param most default 1,000
 */
export function fileDeadLetters(path: string, most = 1_000): DeadLetters {
  let reading: Promise<Map<string, DeadLetter>> | undefined;
  let writing: Promise<void> = Promise.resolve();

  const kept = (): Promise<Map<string, DeadLetter>> => {
    reading ??= read(path).catch((error: unknown) => {
      reading = undefined;
      throw new DeadLettersError(`Cannot read ${path}: ${describeError(error)}`, { cause: error });
    });
    return reading;
  };
  /** What is written is what is kept by then: many that ask at once share the second write. */
  let isDue = false;
  const write = (): Promise<void> => {
    if (isDue) return writing;
    isDue = true;
    writing = writing
      .catch(() => undefined)
      .then(async () => {
        isDue = false;
        await save(path, await kept());
      });
    return writing;
  };
  return {
    async add(letters) {
      put(await kept(), letters, most);
      await write();
    },
    async list() {
      return [...(await kept()).values()];
    },
    async remove(letterIds) {
      const all = await kept();
      const gone = letterIds.filter((letterId) => all.delete(letterId));
      if (gone.length > 0) await write();
    },
  };
}

async function read(path: string): Promise<Map<string, DeadLetter>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    const letters = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => deadLetterSchema.parse(JSON.parse(line)));
    return new Map(letters.map((letter) => [letter.letterId, letter]));
  } catch {
    await rename(path, `${path}.damaged`);
    return new Map();
  }
}

async function save(path: string, letters: ReadonlyMap<string, DeadLetter>): Promise<void> {
  const draft = `${path}.${process.pid}`;
  const lines = [...letters.values()].map((letter) => `${JSON.stringify(letter)}\n`);
  try {
    // What happened to agents is nobody else's business.
    await writeFile(draft, lines.join(''), { mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new DeadLettersError(`Cannot write ${path}: ${describeError(error)}`, { cause: error });
  }
}
