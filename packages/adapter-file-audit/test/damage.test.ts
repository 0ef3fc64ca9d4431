import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import { type AuditRecord, canonical, chain } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { fileJournal, JournalCorruptError, type JournalRepair } from '../src/index.ts';
import { idsOf, temporaryDirectory } from './temporary.ts';

function chained(count: number, writer = 'journal'): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const event of sampleEvents(0, count)) records.push(chain(records.at(-1), writer, event));
  return records;
}
const lineOf = (record: AuditRecord): string => `${canonical(record)}\n`;

it('cuts off a last line torn at any byte, keeps the torn bytes, says so, and goes on', async () => {
  const directory = await temporaryDirectory();
  const lengthOf = (records: AuditRecord[]) => Buffer.byteLength(records.map(lineOf).join(''));
  const sound = lengthOf(chained(1, 'w1000'));
  for (let length = sound + 1; length < lengthOf(chained(2, 'w1000')); length += 1) {
    const writer = `w${String(length).padStart(4, '0')}`;
    const whole = Buffer.from(chained(2, writer).map(lineOf).join(''));
    const path = join(directory, `${writer}.jsonl`);
    await writeFile(path, whole.subarray(0, length));
    const repairs: JournalRepair[] = [];
    const journal = fileJournal(directory, { writer, onRepair: (repair) => repairs.push(repair) });
    await journal.append([sampleEvent(1)]);
    await journal.close();
    expect(repairs).toEqual([{ path, savedTo: join(directory, `${writer}.torn-1`), bytes: length - sound }]);
    expect(await readFile(join(directory, `${writer}.torn-1`))).toEqual(whole.subarray(sound, length));
    expect(await readFile(path)).toEqual(whole);
  }
});

it('cuts off a torn first line, one of NULs, one with its line feed, and one longer than any record', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'journal.jsonl');
  const tails = ['{"event', '\0'.repeat(5_000), '{"event":{"age\n', 'x'.repeat(17 * 1024 * 1024)];
  for (const [index, tail] of tails.entries()) {
    await appendFile(path, tail);
    const journal = fileJournal(directory, {
      onRepair() {
        throw new Error('a listener that fails');
      },
    });
    await journal.append([sampleEvent(index)]);
    expect(await idsOf(journal)).toEqual(Array.from({ length: index + 1 }, (_, n) => n));
    await journal.close();
    expect((await stat(join(directory, `journal.torn-${index + 1}`))).size).toBe(tail.length);
  }
});

const [a, b, c] = chained(3) as [AuditRecord, AuditRecord, AuditRecord];
const changed = { ...b, event: { ...b.event, hostId: 'other' } };
it.each([
  ['not-json', 2, [lineOf(a), 'garbage\n', lineOf(b)]],
  ['not-json', 2, [lineOf(a), '\n', lineOf(b)]],
  ['not-json', 1, ['\0\0\0\n', lineOf(a)]],
  ['not-json', 1, [`\ufeff${lineOf(a)}`, lineOf(b)]],
  ['not-a-record', 2, [lineOf(a), '{"seq":1}\n', lineOf(b)]],
  ['not-a-record', 2, [lineOf(a), '{"seq":1}\n']],
  ['not-a-record', 2, [lineOf(a), `${JSON.stringify(b)}\n`, lineOf(c)]],
  ['not-a-record', 2, [lineOf(a), lineOf(b).replace(':', ': '), lineOf(c)]],
  ['not-a-record', 2, [lineOf(a), lineOf(b).replace('{', '{"__proto__":{},'), lineOf(c)]],
  ['not-a-record', 2, [lineOf(a), `${'x'.repeat(17 * 1024 * 1024)}\n`, lineOf(b)]],
  ['sequence', 2, [lineOf(a), lineOf(c)]],
  ['sequence', 2, [lineOf(a), lineOf(a), lineOf(b)]],
  ['sequence', 1, [lineOf(b)]],
  ['link', 3, [lineOf(a), lineOf(chain(a, 'journal', sampleEvent(9))), lineOf(c)]],
  ['partition', 1, chained(3, 'other').map(lineOf)],
  ['partition', 2, [lineOf(a), lineOf(chain(a, 'other', b.event)), lineOf(c)]],
  ['hash', 1, chained(1, 'other').map((record) => lineOf({ ...record, partition: 'journal' }))],
  ['hash', 2, [lineOf(a), lineOf(changed), lineOf(c)]],
  ['hash', 2, [lineOf(a), lineOf(changed)]],
] as const)(
  'refuses a file with %s at line %i, keeps every byte, and gives the lock back',
  async (fault, line, text) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'journal.jsonl');
    await writeFile(path, text.join(''));
    const journal = fileJournal(directory);
    const error = await journal.append([sampleEvent(9)]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JournalCorruptError);
    expect(error).toMatchObject({ code: 'journal-corrupt', path, line, fault });
    expect(await readFile(path, 'utf8')).toBe(text.join(''));
    expect(await readdir(directory)).toEqual(['journal.jsonl']);
  },
);

it('refuses bytes that are no UTF-8 although they would read as the character that was written', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'journal.jsonl');
  const record = chain(undefined, 'journal', sampleEvent(0, { reason: 'a \ufffd b' }));
  const bytes = Buffer.from(lineOf(record));
  const at = bytes.indexOf('\ufffd');
  const tampered = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at + 3)]);
  await writeFile(
    path,
    Buffer.concat([tampered, Buffer.from(lineOf(chain(record, 'journal', sampleEvent(1))))]),
  );
  await expect(fileJournal(directory).open()).rejects.toMatchObject({ line: 1, fault: 'not-json' });
});

it('finds what was changed in the file behind its back when it is read', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  await journal.append(sampleEvents(0, 3));
  const text = await readFile(journal.path, 'utf8');
  await writeFile(journal.path, text.replace('reason 1', 'reason 7'));
  await expect(idsOf(journal)).rejects.toMatchObject({ code: 'journal-corrupt', line: 2, fault: 'hash' });
  await writeFile(journal.path, `${text.slice(0, -3)}xx\n`);
  await expect(idsOf(journal)).rejects.toMatchObject({ code: 'journal-corrupt', line: 3, fault: 'not-json' });
  await journal.close();
});
