import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './directory.ts';
import { errnoOf } from './journal-errors.ts';

/** What a crash left half-written, and where it was put. */
export interface JournalRepair {
  /** The journal. */
  readonly path: string;
  /** Where the torn bytes are kept: `<writer>.torn-<n>` beside the journal. */
  readonly savedTo: string;
  /** How many bytes were cut off. */
  readonly bytes: number;
}

const chunkBytes = 64 * 1024;

/** Cuts the journal off after `length` bytes. The bytes behind are durable in a file of their own before. */
export async function cutTornTail(
  path: string,
  file: FileHandle,
  length: number,
  size: number,
): Promise<JournalRepair> {
  const { handle, savedTo } = await createTornFile(path.replace(/\.jsonl$/, '.torn-'));
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let offset = length; offset < size; ) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunkBytes, size - offset), offset);
      if (bytesRead === 0) throw new Error(`the file ends at byte ${offset}, not at ${size}`);
      await handle.writeFile(chunk.subarray(0, bytesRead));
      offset += bytesRead;
    }
    await handle.sync();
  } catch (error) {
    await unlink(savedTo).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(path));
  await file.truncate(length);
  await file.sync();
  return { path, savedTo, bytes: size - length };
}

async function createTornFile(prefix: string): Promise<{ handle: FileHandle; savedTo: string }> {
  for (let n = 1; ; n += 1) {
    const savedTo = `${prefix}${n}`;
    try {
      return { handle: await open(savedTo, 'wx', 0o600), savedTo };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}
