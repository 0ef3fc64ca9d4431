import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readLines } from './read-lines.ts';

async function linesOf(text: string, size = Buffer.byteLength(text)) {
  const directory = await mkdtemp(join(tmpdir(), 'read-lines-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'f'), text);
  const file = await open(join(directory, 'f'));
  onTestFinished(() => file.close());
  const lines = [];
  for await (const { bytes, ...line } of readLines(file, size, 1_000)) {
    lines.push({ ...line, text: bytes && Buffer.from(bytes).toString() });
  }
  return lines;
}

it.each([0, 1, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072, 200_000])(
  'reads lines around the edge of a chunk (%i bytes)',
  async (length) => {
    const first = 'é'.repeat(length / 2) + 'x'.repeat(length % 2);
    expect(await linesOf(`${first}\n\nlast`)).toEqual([
      { number: 1, end: length + 1, terminated: true, text: first },
      { number: 2, end: length + 2, terminated: true, text: '' },
      { number: 3, end: length + 6, terminated: false, text: 'last' },
    ]);
  },
);

it('reads nothing from an empty file, no more than asked for, and misses what should be there', async () => {
  expect(await linesOf('')).toEqual([]);
  expect((await linesOf('one\ntwo\n', 5)).map((line) => line.text)).toEqual(['one', 't']);
  await expect(linesOf('one\n', 9)).rejects.toThrow('ends at byte 4');
});
