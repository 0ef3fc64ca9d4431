/** Journals as an auditor sees them: read only, also while they are written to, and against what was kept elsewhere. */
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import { type AuditRecord, canonical, chain, type PartitionHead } from '@agent-killswitch/core';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { expect, it, onTestFinished } from 'vitest';
import { type FileJournal, fileJournal, journaled, readJournal, verifyJournal } from '../src/index.ts';
import { run } from './mounts.ts';
import { temporaryDirectory } from './temporary.ts';

async function journalOf(count: number, writer = 'journal', directory?: string): Promise<FileJournal> {
  const journal = fileJournal(directory ?? (await temporaryDirectory()), { writer });
  onTestFinished(() => journal.close());
  await journal.append(sampleEvents(0, count));
  return journal;
}

/** A journal in front of a sink that is down. */
async function undelivered(count: number, maxFileEvents: number) {
  const directory = await temporaryDirectory();
  const sink = { ...memoryAudit(), append: () => Promise.reject(new Error('down')) };
  const audit = journaled(sink, fileJournal(directory), { maxFileEvents, onNews: () => {} });
  onTestFinished(() => audit.close(0));
  for (let n = 0; n < count; n += 10) await audit.append(sampleEvents(n, Math.min(10, count - n)));
  return { directory, audit };
}

async function idsIn(records: AsyncIterable<AuditRecord>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { event } of records) ids.push(Number(event.id));
  return ids;
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

it('a whole journal: how many, where it ends; by file or by directory, while it is open, changing nothing', async () => {
  const journal = await journalOf(30);
  const directory = join(journal.path, '..');
  const before = [await readdir(directory), await readFile(journal.path)];
  const heads = await journal.heads();
  let told = 0;
  for (const path of [journal.path, directory]) {
    const report = await verifyJournal(path, { heads, onProgress: (count) => (told = count) });
    expect(report).toEqual({ ok: true, count: 30, heads, torn: [] });
  }
  expect(told).toBe(30);
  expect(await idsIn(readJournal(directory))).toEqual(range(30));
  expect([await readdir(directory), await readFile(journal.path)]).toEqual(before);
});

it('every journal of a directory, and one by its writer', async () => {
  const { path } = await journalOf(5, 'node-1');
  const directory = join(path, '..');
  await journalOf(7, 'node-2', directory);
  await writeFile(join(directory, 'notes.txt'), 'of somebody');
  await mkdir(join(directory, 'node-1.torn-1'));
  expect(await verifyJournal(directory)).toMatchObject({
    ok: true,
    count: 12,
    heads: [{ seq: 4 }, { seq: 6 }],
  });
  expect(await idsIn(readJournal(directory, { writer: 'node-2' }))).toEqual(range(7));
  expect(await idsIn(readJournal(directory, { writer: 'node-3' }))).toEqual([]);
});

it('the files that wait in front of a sink, while they are written to', async () => {
  const { directory } = await undelivered(250, 100);
  const report = await verifyJournal(directory);
  expect(report).toMatchObject({ ok: true, count: 250, heads: [{ seq: 99 }, { seq: 99 }, { seq: 49 }] });
  expect(await idsIn(readJournal(directory))).toEqual(range(250));
  const ofSink = { partition: 'acme', seq: 4, hash: '0'.repeat(64) };
  await expect(verifyJournal(directory, { heads: [ofSink] })).rejects.toMatchObject({
    code: 'invalid-input',
    message: /name none of the journals/,
  });
  const [first = ''] = (await readdir(directory)).filter((file) => file.endsWith('.jsonl')).sort();
  const text = await readFile(join(directory, first), 'utf8');
  await writeFile(join(directory, first), text.replace('reason 41', 'reason 14'));
  expect(await verifyJournal(directory)).toEqual({
    ok: false,
    at: {
      partition: 'journal~000000001',
      seq: 41,
      eventId: sampleEvent(41).id,
      path: join(directory, first),
      line: 42,
    },
    fault: 'hash',
  });
});

it('a torn end is told of, and no fault; a cut-off, rewritten or removed one is, against its head', async () => {
  const journal = await journalOf(10);
  const { path } = journal;
  const heads = await journal.heads();
  await journal.close();
  const whole = await readFile(path, 'utf8');
  const lines = whole.split('\n').slice(0, -1);
  await appendFile(path, '{"event"');
  expect(await verifyJournal(path, { heads })).toMatchObject({ ok: true, torn: [{ path, bytes: 8 }] });

  const faultOf = async (text: string, known: readonly PartitionHead[] = heads) => {
    await writeFile(path, text);
    const report = await verifyJournal(path, { heads: known });
    return report.ok ? 'none' : [report.fault, report.at.seq];
  };
  const cut = `${lines.slice(0, 7).join('\n')}\n`;
  expect(await faultOf(cut, [])).toBe('none');
  expect(await faultOf(cut)).toEqual(['truncated', 7]);
  expect(await faultOf(`${lines.slice(0, 9).join('\n')}\ngarbage\n`)).toEqual(['truncated', 9]);
  const anew: AuditRecord[] = [];
  for (const event of sampleEvents(100, 10)) anew.push(chain(anew.at(-1), 'journal', event));
  const written = `${anew.map((record) => canonical(record)).join('\n')}\n`;
  expect(await faultOf(written, [])).toBe('none');
  expect(await faultOf(written)).toEqual(['head', 9]);
  expect(await faultOf(whole)).toBe('none');
  await rm(path);
  expect(await verifyJournal(join(path, '..'), { heads })).toMatchObject({
    ok: false,
    at: { partition: 'journal', seq: 0 },
    fault: 'truncated',
  });
});

it.each([
  ['deleted', 'sequence', 4, (lines: string[]) => lines.toSpliced(4, 1)],
  ['doubled', 'sequence', 5, (lines: string[]) => lines.toSpliced(4, 0, lines[4] ?? '')],
  ['swapped', 'sequence', 4, (lines: string[]) => lines.with(4, lines[5] ?? '').with(5, lines[4] ?? '')],
  ['made up', 'not-json', 4, (lines: string[]) => lines.with(4, 'nothing')],
  ['spaced', 'not-a-record', 4, (lines: string[]) => lines.with(4, ` ${lines[4]}`)],
])('a line that was %s: %s, at record %i', async (_, fault, seq, change) => {
  const { path } = await journalOf(10);
  const lines = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, change(lines).join('\n'));
  expect(await verifyJournal(path)).toMatchObject({ ok: false, fault, at: { seq, line: seq + 1 } });
});

it('says what it cannot read: nothing there, a pipe that nobody writes to, a name of no journal', async () => {
  const directory = await temporaryDirectory();
  await expect(verifyJournal(join(directory, 'none'))).rejects.toMatchObject({
    code: 'journal-read',
    errno: 'ENOENT',
  });
  run('mkfifo', join(directory, 'pipe.jsonl'));
  await expect(verifyJournal(directory)).rejects.toMatchObject({ code: 'journal-read', message: /no file/ });
  await writeFile(join(directory, 'x.txt'), '');
  await expect(verifyJournal(join(directory, 'x.txt'))).rejects.toMatchObject({ code: 'invalid-input' });
});

it('a journal in front of a sink that is down still tells what it took, in order, with what earlier lives took', async () => {
  const { directory, audit } = await undelivered(250, 100);
  await audit.close(0);
  const [, second = ''] = (await readdir(directory)).filter((file) => file.endsWith('.jsonl')).sort();
  const text = await readFile(join(directory, second), 'utf8');
  await writeFile(join(directory, second), text.replace('reason 150', 'reason 151'));
  const sink = { ...memoryAudit(), append: () => Promise.reject(new Error('down')) };
  const again = journaled(sink, fileJournal(directory), { onNews: () => {} });
  onTestFinished(() => again.close(0));
  await again.append(sampleEvents(250, 3));
  await expect(idsIn(again.read())).rejects.toMatchObject({ code: 'audit-unavailable' });
  // What stands behind a damage on its file is missing, and no more.
  expect(await idsIn(again.readUndelivered())).toEqual([...range(150), ...range(253).slice(200)]);
  expect(await idsIn(again.readUndelivered({ orderId: 'order-7' }))).toEqual([7]);
});

it('verify: the open journal, in steps, and by what the process knows of it', async () => {
  const journal = await journalOf(30);
  const [upTo] = await journal.heads();
  const sound = { ok: true, isComplete: true, isAnchored: false, upTo };
  expect(await journal.verify()).toEqual({ ...sound, count: 30 });
  expect(await journal.verify({ ...(upTo && { after: upTo }) })).toEqual({ ...sound, count: 0 });
  const lines = (await readFile(journal.path, 'utf8')).split('\n');
  const first = await journal.verify({ forMs: 0 });
  expect(first).toMatchObject({ ok: true, isComplete: false, count: 1, upTo: { seq: 0 } });
  const after = { partition: 'journal', seq: 14, hash: JSON.parse(lines[14] ?? '').hash };
  expect(await journal.verify({ after })).toEqual({ ...sound, count: 15 });
  const changed = lines.with(9, (lines[9] ?? '').replace('reason 9', 'Reason 9'));
  await writeFile(journal.path, changed.join('\n'));
  expect(await journal.verify()).toMatchObject({ ok: false, fault: 'hash', at: { seq: 9 }, count: 9 });
  expect(await journal.verify({ after })).toEqual({ ...sound, count: 15 });
  // Rightly chained, of the same length, and not what was written.
  const forged: AuditRecord[] = [];
  for (const line of lines.slice(0, -1)) {
    const { event } = JSON.parse(line) as AuditRecord;
    forged.push(chain(forged.at(-1), 'journal', { ...event, hostId: 'sloh' }));
  }
  await writeFile(journal.path, `${forged.map(canonical).join('\n')}\n`);
  expect(await journal.verify()).toMatchObject({ ok: false, fault: 'head', at: { seq: 29 } });
  await writeFile(journal.path, `${lines.slice(0, 20).join('\n')}\n`);
  expect(await journal.verify()).toMatchObject({ ok: false, fault: 'truncated', at: { seq: 20 }, count: 20 });
  expect(await journal.verify({ ...(upTo && { after: upTo }) })).toMatchObject({
    ok: false,
    at: { seq: 20 },
  });
  await rm(journal.path);
  await expect(journal.verify()).rejects.toMatchObject({ code: 'journal-read' });
});

it('verify of a journaled sink is that of the sink behind it, if that can', async () => {
  const audit = journaled(memoryAudit(), fileJournal(await temporaryDirectory()));
  onTestFinished(() => audit.close());
  await audit.append(sampleEvents(0, 5));
  expect(await audit.verify?.()).toMatchObject({ ok: true, count: 5, upTo: { partition: 'memory', seq: 4 } });
  const { verify: _, ...mute } = memoryAudit();
  expect(journaled(mute, fileJournal(await temporaryDirectory())).verify).toBeUndefined();
});
