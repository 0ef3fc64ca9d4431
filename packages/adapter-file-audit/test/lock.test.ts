import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleEvent } from '@agent-killswitch/conformance';
import { expect, it, onTestFinished } from 'vitest';
import { fileJournal, JournalLockedError } from '../src/index.ts';
import { type Child, nextLine, startChild } from './child.ts';
import { idsOf, temporaryDirectory } from './temporary.ts';

async function contender(directory: string): Promise<Child> {
  const child = startChild('lock-child.ts', [directory]);
  onTestFinished(async () => {
    child.process.kill('SIGKILL');
    await child.ended;
  });
  expect(await nextLine(child)).toBe('ready');
  return child;
}

it('refuses a second living writer, in this process and in another, and names the first', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  await journal.append([sampleEvent(0)]);
  const second = fileJournal(directory);
  const error = await second.append([sampleEvent(1)]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(JournalLockedError);
  expect(error).toMatchObject({
    code: 'journal-locked',
    pid: process.pid,
    path: join(directory, 'journal.lock'),
  });
  const child = await contender(directory);
  child.say('go');
  expect(await nextLine(child)).toMatch(new RegExp(`^journal-locked .*process ${process.pid} `));
  await journal.append([sampleEvent(2)]);
  await journal.close();
  child.say('go');
  expect(await nextLine(child)).toBe('won');
  await expect(second.open()).rejects.toMatchObject({ pid: child.process.pid });
});

it('lets writers of different names use one directory', async () => {
  const directory = await temporaryDirectory();
  const journals = ['a', 'b'].map((writer) => fileJournal(directory, { writer }));
  for (const [index, journal] of journals.entries()) await journal.append([sampleEvent(index)]);
  expect(await Promise.all(journals.map(idsOf))).toEqual([[0], [1]]);
  for (const journal of journals) await journal.close();
  expect((await readdir(directory)).toSorted()).toEqual(['a.jsonl', 'b.jsonl']);
});

it('names pid, start time and boot in the lock file', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  await journal.open();
  const owner = JSON.parse(await readFile(join(directory, 'journal.lock'), 'utf8'));
  expect(owner).toMatchObject({
    pid: process.pid,
    startTime: expect.any(String),
    bootId: expect.any(String),
  });
  await journal.close();
});

it('gives the lock of a dead process to exactly one of those who race for it, again and again', async () => {
  const directory = await temporaryDirectory();
  let contenders = await Promise.all(Array.from({ length: 7 }, () => contender(directory)));
  while (contenders.length > 1) {
    for (const child of contenders) child.say('go');
    const answers = await Promise.all(contenders.map(nextLine));
    const winners = contenders.filter((_, index) => answers[index] === 'won');
    expect(winners).toHaveLength(1);
    expect(answers.filter((answer) => answer.startsWith('journal-locked'))).toHaveLength(
      contenders.length - 1,
    );
    for (const winner of winners) {
      winner.process.kill('SIGKILL');
      expect(await winner.ended).toBe('SIGKILL');
    }
    contenders = contenders.filter((child) => !winners.includes(child));
  }
  const journal = fileJournal(directory);
  await journal.append([sampleEvent(0)]);
  await journal.close();
  expect(await readdir(directory)).toEqual(['journal.jsonl']);
});
