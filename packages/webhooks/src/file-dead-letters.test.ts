import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidConfigurationError } from '@agent-killswitch/core';
import { expect, onTestFinished, test } from 'vitest';
import { type DeadLetter, memoryDeadLetters } from './dead-letters.ts';
import { fileDeadLetters } from './file-dead-letters.ts';

const letter = (n: number, body = '{}'): DeadLetter => ({
  letterId: `ops/${n}`,
  endpoint: 'ops',
  messageId: `msg_${n}`,
  type: 'order.settled',
  body,
  tries: 1,
  error: 'answered 500',
  deadAt: n,
});
const upTo = (count: number): DeadLetter[] => Array.from({ length: count }, (_, n) => letter(n));

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'killswitch-letters-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** What the next life of the process finds. */
const later = async (path: string, most?: number) =>
  (await fileDeadLetters(path, most).list()).map(({ deadAt }) => deadAt);

test('is bounded, and the next life of the process finds what was kept, in a folder that was made for it', async () => {
  const path = join(await folder(), 'not', 'there', 'letters.jsonl');
  const letters = fileDeadLetters(path, 3);
  expect(await letters.list()).toEqual([]);
  await Promise.all([1, 2, 3, 4, 5].map((n) => letters.add([letter(n)])));
  await letters.remove(['ops/4', 'ops/none']);
  expect((await letters.list()).map(({ deadAt }) => deadAt)).toEqual([3, 5]);
  expect(await later(path, 3)).toEqual([3, 5]);
  // Not more than it may keep, twice, in lines.
  for (let n = 6; n < 30; n += 1) await letters.add([letter(n)]);
  expect((await readFile(path, 'utf8')).split('\n').length).toBeLessThanOrEqual(7);
  expect(await later(path, 3)).toEqual([27, 28, 29]);
  expect([(await stat(path)).mode & 0o777, (await stat(join(path, '..'))).mode & 0o777]).toEqual([
    0o600, 0o700,
  ]);
});

test('a letter more is a line more, however many there are', async () => {
  const path = join(await folder(), 'letters.jsonl');
  const letters = fileDeadLetters(path);
  await letters.add(upTo(500));
  const { size, ino } = await stat(path);
  await letters.add([letter(500)]);
  await letters.remove(['ops/0']);
  const after = await stat(path);
  expect([after.ino, after.size - size]).toEqual([
    ino,
    JSON.stringify(letter(500)).length + '{"removed":"ops/0"}'.length + 2,
  ]);
  expect(await later(path)).toHaveLength(500);
});

test('damaged files are kept aside, each beside the others, and what can be read of them is kept', async () => {
  const path = join(await folder(), 'letters.jsonl');
  await fileDeadLetters(path).add([letter(1)]);
  await appendFile(path, 'no letter at all\n');
  const once = await readFile(path, 'utf8');
  expect(await later(path)).toEqual([1]);
  await writeFile(path, `\0\0\n${JSON.stringify(letter(2))}\n${'x'.repeat(5 << 20)}\n`);
  const anew = fileDeadLetters(path);
  await anew.add([letter(3)]);
  expect((await anew.list()).map(({ deadAt }) => deadAt)).toEqual([2, 3]);
  expect(await later(path)).toEqual([2, 3]);
  expect((await readdir(join(path, '..'))).toSorted()).toEqual([
    'letters.jsonl',
    'letters.jsonl.damaged',
    'letters.jsonl.damaged-2',
  ]);
  expect(await readFile(`${path}.damaged`, 'utf8')).toBe(once);
});

test('a line that a crash has cut off is no damage, and nothing is added to it', async () => {
  const path = join(await folder(), 'letters.jsonl');
  await fileDeadLetters(path).add([letter(1)]);
  await appendFile(path, JSON.stringify(letter(2)).slice(0, 40));
  const letters = fileDeadLetters(path);
  await letters.add([letter(3)]);
  expect(await later(path)).toEqual([1, 3]);
  expect(await readdir(join(path, '..'))).toEqual(['letters.jsonl']);
});

test('what a crash left of a file that was written anew is gone with the next', async () => {
  const path = join(await folder(), 'letters.jsonl');
  await writeFile(`${path}.draft`, JSON.stringify(letter(1)));
  const letters = fileDeadLetters(path);
  await letters.add([letter(2)]);
  expect(await later(path)).toEqual([2]);
  expect(await readdir(join(path, '..'))).toEqual(['letters.jsonl']);
});

test('a file that somebody has taken away is there again with the next letter', async () => {
  const path = join(await folder(), 'letters.jsonl');
  const letters = fileDeadLetters(path);
  await letters.add([letter(1)]);
  await rm(path);
  await letters.add([letter(2)]);
  expect(await later(path)).toEqual([1, 2]);
});

test('what cannot be read now is named, and what comes meanwhile is there when it can', async () => {
  const path = join(await folder(), 'letters.jsonl');
  await fileDeadLetters(path).add([letter(1)]);
  const good = await readFile(path);
  await rm(path);
  const blocked = join(path, 'a folder in its place');
  await mkdir(blocked, { recursive: true });
  const letters = fileDeadLetters(path);
  await expect(letters.add([letter(2)])).rejects.toMatchObject({ code: 'dead-letters' });
  await expect(letters.list()).rejects.toMatchObject({ code: 'dead-letters' });
  await rm(path, { recursive: true });
  await writeFile(path, good);
  await letters.add([letter(3)]);
  expect(await later(path)).toEqual([1, 2, 3]);
});

test.each([Number.NaN, -1, 0, 1.5, Number.POSITIVE_INFINITY, '10' as never])(
  'a bound of %s is refused by name',
  (most) => {
    expect(() => memoryDeadLetters(most)).toThrow(InvalidConfigurationError);
    expect(() => fileDeadLetters('letters.jsonl', most)).toThrow('fileDeadLetters most');
  },
);

test('a path that is none is refused by name', () => {
  for (const path of ['', undefined, 7]) expect(() => fileDeadLetters(path as string)).toThrow('path');
});
