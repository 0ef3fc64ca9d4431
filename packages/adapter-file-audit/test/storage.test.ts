import { appendFile, chmod, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import { canonical, chain } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { type FileJournal, fileJournal, JournalWriteError } from '../src/index.ts';
import { nextLine, startChild } from './child.ts';
import { largeEvents } from './large-events.ts';
import { mayMount, memoryFileSystem, run, thinExt4, untilBlocked } from './mounts.ts';
import { idsOf, temporaryDirectory } from './temporary.ts';

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const unlessMounting = mayMount ? '' : ' (skipped: needs to mount file systems)';

/** That the append is refused by name, and what the system said. */
async function refusal(appended: Promise<void>): Promise<JournalWriteError> {
  const error = await appended.then(
    () => 'taken',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(JournalWriteError);
  return error as JournalWriteError;
}

/** Appends until the disk is full; how many events were taken. */
async function fill(
  journal: FileJournal,
  batch: number,
): Promise<{ taken: number; error: JournalWriteError }> {
  for (let taken = 0; ; taken += batch) {
    const error = await journal.append(largeEvents(taken, batch)).catch((thrown: unknown) => thrown);
    if (error !== undefined) {
      expect(error).toBeInstanceOf(JournalWriteError);
      return { taken, error: error as JournalWriteError };
    }
  }
}

it.skipIf(!mayMount)(
  `keeps what it has when the disk is full, and goes on when it is not${unlessMounting}`,
  async () => {
    const directory = await memoryFileSystem('1m');
    const journal = fileJournal(directory);
    const { taken, error } = await fill(journal, 40);
    expect(error).toMatchObject({ code: 'journal-write', errno: 'ENOSPC', path: journal.path });
    const before = await readFile(journal.path);
    expect(await refusal(journal.append(largeEvents(taken, 200)))).toMatchObject({ errno: 'ENOSPC' });
    expect(await readFile(journal.path)).toEqual(before);
    expect(before.at(-1)).toBe(0x0a);
    expect(await idsOf(journal)).toEqual(range(taken));
    run('mount', '-o', 'remount,size=4m', directory);
    await journal.append(largeEvents(taken, 200));
    expect(await idsOf(journal)).toEqual(range(taken + 200));
    await journal.close();
  },
);

it.skipIf(process.platform !== 'linux')(
  'keeps no half record when a file may not grow (skipped off Linux: prlimit)',
  async () => {
    const directory = await temporaryDirectory();
    const child = startChild('full-child.ts', [directory], { prefix: ['prlimit', '--fsize=200000'] });
    const taken = Number(await nextLine(child));
    expect(await nextLine(child)).toBe('journal-write EFBIG');
    expect(await nextLine(child)).toBe('journal-write EFBIG');
    expect(Number(await nextLine(child))).toBe(taken + 1);
    expect(await child.ended).toBe(0);
    const journal = fileJournal(directory, { onRepair: () => expect.unreachable('nothing is torn') });
    expect(await idsOf(journal)).toEqual(range(taken + 1));
    await journal.close();
  },
);

it.skipIf(!mayMount)(
  `never takes a failed fsync for success: what counts is on the disk${unlessMounting}`,
  async () => {
    const disk = await thinExt4('4m');
    const journal = fileJournal(join(disk.directory, 'audit'));
    const { taken, error } = await fill(journal, 60);
    expect(error.cause).toMatchObject({ syscall: 'fdatasync' });
    expect(taken).toBeGreaterThan(0);
    expect(await idsOf(journal)).toEqual(range(taken));
    await refusal(journal.append(largeEvents(taken, 500)));
    disk.grow('40m');
    await journal.append(largeEvents(taken, 500));
    await journal.close();
    disk.remount();
    const again = fileJournal(join(disk.directory, 'audit'), {
      onRepair: () => expect.unreachable('nothing is torn'),
    });
    expect(await idsOf(again)).toEqual(range(taken + 500));
    await again.close();
  },
);

it.skipIf(!mayMount)(
  `answers in time when the disk hangs, and counts a late write once${unlessMounting}`,
  async () => {
    const disk = await thinExt4('40m');
    const journal = fileJournal(disk.directory, { deadlineMs: 1_000 });
    await journal.append([sampleEvent(0)]);
    const thaw = disk.freeze();
    const began = performance.now();
    expect(await refusal(journal.append([sampleEvent(1)]))).toMatchObject({ errno: 'ETIMEDOUT' });
    expect(await refusal(journal.append([sampleEvent(2)]))).toMatchObject({ errno: 'ETIMEDOUT' });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await journal.heads()).toMatchObject([{ seq: 0 }]);
    thaw();
    await journal.append(sampleEvents(1, 3));
    expect(await idsOf(journal)).toEqual([0, 1, 2, 3]);
    await journal.close();
  },
);

it.skipIf(!mayMount)(`names a read-only file system, and works once it is not${unlessMounting}`, async () => {
  const directory = await memoryFileSystem('1m');
  const journal = fileJournal(directory);
  run('mount', '-o', 'remount,ro', directory);
  expect(await refusal(journal.append([sampleEvent(0)]))).toMatchObject({ errno: 'EROFS' });
  await expect(journal.open()).rejects.toMatchObject({ code: 'journal-write', errno: 'EROFS' });
  run('mount', '-o', 'remount,rw', directory);
  await journal.append([sampleEvent(0)]);
  await journal.close();
});

it.skipIf(process.getuid?.() === 0)(
  'names a directory that it may not write to (skipped as root, who may)',
  async () => {
    const directory = await temporaryDirectory();
    await chmod(directory, 0o500);
    expect(await refusal(fileJournal(directory).append([sampleEvent(0)]))).toMatchObject({ errno: 'EACCES' });
  },
);

it('names a directory that is a file', async () => {
  const journal = fileJournal(join(await temporaryDirectory(), 'file'));
  await appendFile(join(journal.path, '..'), 'no directory');
  await refusal(journal.append([sampleEvent(0)]));
});

it('refuses when its directory is moved away, makes no second file, and goes on when it is back', async () => {
  const directory = join(await temporaryDirectory(), 'audit');
  const journal = fileJournal(directory);
  await journal.append([sampleEvent(0)]);
  await rename(directory, `${directory}.moved`);
  for (let round = 0; round < 3; round += 1) {
    expect(await refusal(journal.append([sampleEvent(1)]))).toMatchObject({ errno: 'ENOENT' });
  }
  await rename(`${directory}.moved`, directory);
  await journal.append([sampleEvent(1)]);
  expect(await idsOf(journal)).toEqual([0, 1]);
  await journal.close();
});

it('refuses for good when its directory is deleted, and never hangs', async () => {
  const directory = join(await temporaryDirectory(), 'audit');
  const journal = fileJournal(directory);
  await journal.append([sampleEvent(0)]);
  await rm(directory, { recursive: true });
  for (let round = 0; round < 3; round += 1) {
    expect(await refusal(journal.append([sampleEvent(1)]))).toMatchObject({ errno: 'ENOENT' });
  }
  await expect(idsOf(journal)).rejects.toMatchObject({ code: 'journal-read', errno: 'ENOENT' });
  await journal.close();
  await expect(readdir(directory)).rejects.toThrow('ENOENT');
});

it.skipIf(!mayMount)(
  `does not count what went to a file that lost its name meanwhile${unlessMounting}`,
  async () => {
    const disk = await thinExt4('40m');
    const journal = fileJournal(disk.directory);
    await journal.append([sampleEvent(0)]);
    const thaw = disk.freeze();
    const refused = refusal(journal.append([sampleEvent(1)]));
    await untilBlocked();
    run('mount', '-t', 'tmpfs', 'tmpfs', disk.directory);
    try {
      thaw();
      expect(await refused).toMatchObject({ errno: 'ENOENT' });
    } finally {
      run('umount', disk.directory);
    }
    await journal.append([sampleEvent(2)]);
    expect(await idsOf(journal)).toEqual([0, 2]);
    await journal.close();
  },
);

it('shows no reader what it has not acknowledged', async () => {
  const journal = fileJournal(await temporaryDirectory());
  await journal.append(sampleEvents(0, 2));
  const [head] = await journal.heads();
  await appendFile(journal.path, `${canonical(chain(head, 'journal', sampleEvent(2)))}\n`);
  expect(await idsOf(journal)).toEqual([0, 1]);
  await journal.close();
});

it('refuses to write where somebody else wrote or cut, and changes nothing there', async () => {
  for (const tamper of [
    (path: string) => appendFile(path, 'foreign\n'),
    (path: string) => truncate(path, 100),
  ]) {
    const journal = fileJournal(await temporaryDirectory());
    await journal.append(sampleEvents(0, 2));
    await tamper(journal.path);
    const tampered = await readFile(journal.path);
    for (let round = 0; round < 2; round += 1) {
      expect((await refusal(journal.append([sampleEvent(2)]))).message).toMatch(/bytes instead of/);
    }
    expect(await readFile(journal.path)).toEqual(tampered);
    await journal.close();
  }
});
