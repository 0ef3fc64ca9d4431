/** The command that an auditor runs on journals: as a process of its own, and without the package `pg`. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileJournal, journaled } from '@agent-killswitch/adapter-file-audit';
import { writeCheckpoints } from '@agent-killswitch/adapter-postgres-audit';
import { sampleEvents } from '@agent-killswitch/conformance';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from './run-command.ts';

const keys = generateKeyPairSync('ed25519');
let folder: string;
let journal: string;
let waiting: string;
let checkpoints: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-cli-'));
  journal = join(folder, 'journal');
  waiting = join(folder, 'waiting');
  const own = fileJournal(journal, { writer: 'node-1' });
  const path = join(folder, 'checkpoints');
  const writer = writeCheckpoints(own, path, { privateKey: keys.privateKey });
  for (let n = 0; n < 30; n += 10) {
    await own.append(sampleEvents(n, 10));
    await writer.make();
  }
  writer.stop();
  await own.close();
  const key = join(folder, 'key.pem');
  await writeFile(key, keys.publicKey.export({ type: 'spki', format: 'pem' }));
  checkpoints = ['--checkpoints', path, '--key', key];
  const sink = { ...memoryAudit(), append: () => Promise.reject(new Error('down')) };
  const audit = journaled(sink, fileJournal(waiting), { maxFileEvents: 20, onNews: () => {} });
  for (let n = 0; n < 50; n += 10) await audit.append(sampleEvents(n, 10));
  await audit.close(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('verify: 0 and where the chains end, of a file, of a directory, of what waits for a database', async () => {
  for (const args of [
    ['--journal', journal],
    ['--journal', join(journal, 'node-1.jsonl'), ...checkpoints],
    ['--journal', journal, ...checkpoints],
  ]) {
    const { code, stdout, stderr } = await run(['verify', ...args]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      count: 30,
      heads: [{ partition: 'node-1', seq: 29 }],
    });
  }
  const { code, stdout } = await run(['verify', '--journal', waiting]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    count: 50,
    heads: [{ seq: 19 }, { seq: 19 }, { seq: 9 }],
  });
});

it('needs no pg for it', async () => {
  const refusal = `export function resolve(specifier, context, next) {
    if (specifier === 'pg') throw new Error('no pg here'); return next(specifier, context); }`;
  const hooks = `data:text/javascript,${encodeURIComponent(refusal)}`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(hooks)});`;
  const node = ['--import', `data:text/javascript,${encodeURIComponent(register)}`];
  expect(await run(['verify', '--journal', journal], {}, node)).toMatchObject({ code: 0 });
  const database = ['--database', 'postgres://u:secret@127.0.0.1:1/none'];
  const without = await run(['verify', ...database], {}, node);
  expect(without).toMatchObject({ code: 3, stderr: expect.stringMatching(/npm install pg/) });
});

it('export: every record a line, in each format, or those of one journal', async () => {
  const file = await readFile(join(journal, 'node-1.jsonl'), 'utf8');
  expect((await run(['export', '--journal', journal])).stdout).toBe(file);
  for (const [format, field] of [
    ['cloudevents', 'specversion'],
    ['ocsf', 'class_uid'],
  ] as const) {
    const lines = (await run(['export', '--journal', waiting, '--format', format])).stdout.trim().split('\n');
    expect(lines).toHaveLength(50);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty(field);
  }
  const one = await run(['export', '--journal', waiting, '--chain', 'journal~000000002']);
  expect(one.stdout.trim().split('\n')).toHaveLength(20);
});

it('verify: 1 and the first bad record, and export ends with 1 in front of it', async () => {
  const [first = ''] = (await readdir(waiting)).filter((file) => file.endsWith('.jsonl')).sort();
  const path = join(waiting, first);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('reason 7', 'reason 8'));
  const { code, stdout } = await run(['verify', '--journal', waiting]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    ok: false,
    at: { partition: 'journal~000000001', seq: 7, eventId: '00000000000000000000000007', path, line: 8 },
    fault: 'hash',
  });
  const exported = await run(['export', '--journal', waiting]);
  expect([exported.code, exported.stdout.trim().split('\n').length]).toEqual([1, 7]);
  expect(exported.stderr).toMatch(/damaged at line 8 \(hash\)/);
});

it('verify: 1 for a journal that was cut off, which only a checkpoint shows', async () => {
  const path = join(journal, 'node-1.jsonl');
  const text = await readFile(path, 'utf8');
  await writeFile(path, `${text.split('\n').slice(0, 25).join('\n')}\n`);
  expect((await run(['verify', '--journal', journal])).code).toBe(0);
  const { code, stdout } = await run(['verify', '--journal', journal, ...checkpoints]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ at: { partition: 'node-1', seq: 25 }, fault: 'truncated' });
  await writeFile(path, text);
});

it('2 for what makes no sense, 3 for what cannot be done', async () => {
  for (const args of [
    ['verify', '--journal', ''],
    ['verify', '--journal', journal, '--database', 'postgres://x/y'],
    ['verify', '--journal', waiting, ...checkpoints],
    ['export', '--journal', journal, '--key', 'k'],
    ['verify', '--journal', join(folder, 'checkpoints')],
  ])
    expect([args, (await run(args)).code]).toEqual([args, 2]);
  expect((await run(['verify', '--journal', join(folder, 'nowhere')])).code).toBe(3);
  await mkdir(join(folder, 'nothing'));
  expect((await run(['verify', '--journal', join(folder, 'nothing')])).code).toBe(3);
  expect(await run(['verify', '--help'])).toMatchObject({ code: 0, stdout: /^Usage:/ });
}, 120_000);

it('tells how far it is on long journals, on stderr', async () => {
  const long = join(folder, 'long');
  const own = fileJournal(long);
  for (let n = 0; n < 100_000; n += 1_000) await own.append(sampleEvents(n, 1_000));
  await own.close();
  const { code, stdout, stderr } = await run(['verify', '--journal', long]);
  expect([code, stderr]).toEqual([0, '100000 records\n']);
  expect(JSON.parse(stdout)).toMatchObject({ count: 100_000 });
}, 60_000);
