import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import {
  type AuditEvent,
  canonical,
  chain,
  InvalidConfigurationError,
  InvalidInputError,
} from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { fileJournal, JournalClosedError, JournalVersionError, JournalWriteError } from '../src/index.ts';
import { idsOf, temporaryDirectory } from './temporary.ts';

it('writes a record a line: canonical JSON of the chained record, and nothing else', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  await journal.append(sampleEvents(0, 2));
  await journal.append([sampleEvent(2, { reason: 'NUL \0, \u2028, é and 😀' })]);
  const first = chain(undefined, 'journal', sampleEvent(0));
  const second = chain(first, 'journal', sampleEvent(1));
  const third = chain(second, 'journal', sampleEvent(2, { reason: 'NUL \0, \u2028, é and 😀' }));
  const expected = [first, second, third].map((record) => `${canonical(record)}\n`).join('');
  expect(await readFile(join(directory, 'journal.jsonl'), 'utf8')).toBe(expected);
  expect(await journal.heads()).toEqual([{ partition: 'journal', seq: 2, hash: third.hash }]);
  await journal.close();
});

it('makes its directory and file for their owner only, and touches nothing before first use', async () => {
  const directory = join(await temporaryDirectory(), 'a', 'b');
  const journal = fileJournal(directory, { writer: 'node-1.example' });
  await expect(stat(directory)).rejects.toThrow('ENOENT');
  await journal.open();
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(journal.path).toBe(join(directory, 'node-1.example.jsonl'));
  expect((await stat(journal.path)).mode & 0o777).toBe(0o600);
  await journal.close();
});

it('commits appends that come together in one group, each whole, in the order of the calls', async () => {
  const journal = fileJournal(await temporaryDirectory());
  await Promise.all([0, 10, 20, 30].map((first) => journal.append(sampleEvents(first, 3))));
  expect(await idsOf(journal)).toEqual([0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]);
  await journal.close();
});

it('records an event as it was when append was called', async () => {
  const journal = fileJournal(await temporaryDirectory());
  const event = sampleEvent(0);
  const done = journal.append([event]);
  event.hostId = 'changed';
  await done;
  for await (const record of journal.read()) expect(record.event).toEqual(sampleEvent(0));
  await journal.close();
});

it('refuses what it could not read back, whole, and names the event', async () => {
  const journal = fileJournal(await temporaryDirectory());
  const nonsense = { ...sampleEvent(1), reason: 'x'.repeat(2_001) } as AuditEvent;
  await expect(journal.append([sampleEvent(0), nonsense])).rejects.toThrow(
    /audit event 1 of the batch: reason/,
  );
  const newer = { ...sampleEvent(1), version: 2 } as unknown as AuditEvent;
  await expect(journal.append([newer])).rejects.toThrow(InvalidInputError);
  const long = { ...sampleEvent(1), policyVersion: 'x'.repeat(17 * 1024 * 1024) } as AuditEvent;
  await expect(journal.append([long])).rejects.toThrow(/longer than/);
  expect(await journal.heads()).toEqual([]);
  await journal.close();
});

it('refuses an event of a newer version, keeps the file, and says so again', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'journal.jsonl');
  const newer = {
    ...chain(undefined, 'journal', sampleEvent(0)),
    event: { ...sampleEvent(0), version: 2, more: true },
  };
  await writeFile(path, `${canonical(newer)}\n`);
  const journal = fileJournal(directory);
  for (let round = 0; round < 2; round += 1) {
    const error = await journal.open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JournalVersionError);
    expect(error).toMatchObject({ code: 'journal-version', path, line: 1, version: 2 });
  }
  expect(await readFile(path, 'utf8')).toBe(`${canonical(newer)}\n`);
});

it('never writes through a symbolic link', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'elsewhere'), '');
  await symlink(join(directory, 'elsewhere'), join(directory, 'journal.jsonl'));
  const journal = fileJournal(directory);
  const error = await journal.append([sampleEvent(0)]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(JournalWriteError);
  expect(error).toMatchObject({ code: 'journal-write', errno: 'ELOOP', path: journal.path });
  expect(await readFile(join(directory, 'elsewhere'), 'utf8')).toBe('');
});

it('writes what waits before it closes, and then refuses by name', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  const appended = journal.append(sampleEvents(0, 5));
  const closed = journal.close();
  expect(journal.close()).toBe(closed);
  await Promise.all([appended, closed]);
  await expect(journal.append([sampleEvent(5)])).rejects.toThrow(JournalClosedError);
  await expect(journal.heads()).rejects.toThrow(JournalClosedError);
  await expect(journal.open()).rejects.toThrow(JournalClosedError);
  await expect(idsOf(journal)).rejects.toThrow(JournalClosedError);
  const again = fileJournal(directory);
  expect(await idsOf(again)).toEqual([0, 1, 2, 3, 4]);
  await again.close();
});

it('knows the newest 10,000 ids after it was opened again', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  await journal.append(sampleEvents(0, 10_001));
  await journal.close();
  const again = fileJournal(directory);
  await again.append(sampleEvents(1, 10_000));
  expect(await again.heads()).toMatchObject([{ seq: 10_000 }]);
  await again.append([sampleEvent(0)]);
  expect(await again.heads()).toMatchObject([{ seq: 10_001 }]);
  await again.close();
});

it.each([
  ['../other', {}],
  ['.hidden', {}],
  ['', {}],
  ['ok', { deadlineMs: 0 }],
  ['ok', { onRepair: 'no' }],
  ['ok', { unknown: 1 }],
])('refuses the options %j %j', (writer, more) => {
  expect(() => fileJournal('/tmp/x', { writer, ...(more as object) })).toThrow(InvalidConfigurationError);
});
