import type { FileHandle } from 'node:fs/promises';
import { maxLineBytes } from './journal-line.ts';
import { within } from './within.ts';

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Offset of the byte after the line and its line feed. */
  readonly end: number;
  /** Without the line feed; `undefined` if the line is too long to be one of ours. */
  readonly bytes: Uint8Array | undefined;
  /** Whether it ends in a line feed. Only the last line may not. */
  readonly terminated: boolean;
}

const chunkBytes = 64 * 1024;
const lineFeed = 0x0a;

/**
 * The lines of the first `size` bytes, holding no more than a chunk and one line in memory (I12).
 * @throws what the system says, `ETIMEDOUT` if one read takes longer than `deadlineMs`.
 */
export async function* readLines(file: FileHandle, size: number, deadlineMs: number): AsyncGenerator<Line> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let number = 1;
  let offset = 0;
  let pieces: Buffer[] = [];
  let length = 0;

  const keep = (piece: Buffer): void => {
    length += piece.length;
    if (length > maxLineBytes) pieces = [];
    else if (piece.length > 0) pieces.push(Buffer.from(piece));
  };
  const line = (end: number, terminated: boolean): Line => {
    const bytes = length > maxLineBytes ? undefined : Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
    return { number: number++, end, bytes, terminated };
  };

  while (offset < size) {
    const wanted = Math.min(chunkBytes, size - offset);
    const { bytesRead } = await within(deadlineMs, file.read(chunk, 0, wanted, offset));
    if (bytesRead === 0) throw new Error(`the file ends at byte ${offset}, not at ${size}`);
    let start = 0;
    for (let feed = 0; ; start = feed + 1) {
      feed = chunk.subarray(0, bytesRead).indexOf(lineFeed, start);
      if (feed === -1) break;
      keep(chunk.subarray(start, feed));
      yield line(offset + feed + 1, true);
    }
    keep(chunk.subarray(start, bytesRead));
    offset += bytesRead;
  }
  if (length > 0) yield line(size, false);
}
