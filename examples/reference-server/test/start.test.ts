import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Site, tokens } from './support/reference-server.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

const stateFile = (): string => join(site.stateDir, 'state.sqlite');

/** A site that was in use before. */
async function used(): Promise<void> {
  const life = await site.boot();
  await life.spawn(tokens.mia, 'a', 'cooperative');
  await life.call('POST', '/api/orchestrator/tasks/a/kill', tokens.mia, { reason: 'x' });
  await life.terminate();
}

async function expectRefusal(
  words: readonly (string | RegExp)[],
  environment: Record<string, string> = {},
): Promise<void> {
  const { code, stdout, stderr } = await site.refuse(environment);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  for (const word of words) expect(stderr).toMatch(word);
  expect(stderr).toMatch(/^Cannot start: /);
  expect(stderr).not.toMatch(/\n {4}at /);
}

it('prints where it listens, tokens, and three things to try that work as they are', async () => {
  const { environment } = site;
  environment.REFERENCE_PRINCIPALS_FILE = '';
  const child = site.launch(undefined, [], { REFERENCE_PRINCIPALS_FILE: '' });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  while (!output.includes('emergency-stop'))
    await new Promise((resolve) => child.stdout?.once('data', resolve));
  expect(output).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+$/m);
  const curls = output.split('\n').filter((line) => line.trim().startsWith('curl '));
  expect(curls).toHaveLength(3);
  const { execFileSync } = await import('node:child_process');
  const answers = curls.map((curl) =>
    JSON.parse(execFileSync('/bin/sh', ['-c', curl], { encoding: 'utf8' })),
  );
  expect(answers).toMatchObject([{ status: 'running' }, { settled: true, killed: 1 }, { settled: true }]);
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('close', resolve));
});

it.each([
  ['ORCHESTRATOR_PORT', 'eighty'],
  ['ORCHESTRATOR_PORT', '70000'],
  ['REFERENCE_PRINCIPALS_FILE', '/nowhere/principals.json'],
  ['STATE_DIR', '/etc/passwd'],
  ['STATE_DIR', '/dev/null/x'],
  ['STATE_DIR', '/proc/x'],
])('refuses %s=%s by name', async (name, value) => {
  await expectRefusal([name], { [name]: value });
});

it('refuses a principals file with an unknown role or a stray field, naming the entry and never the token', async () => {
  const file = join(site.folder, 'bad.json');
  for (const principal of [
    { id: 'x', kind: 'user', grants: [{ role: 'emperor' }] },
    { id: 'x', kind: 'user', grants: [{ role: 'member' }] },
    { id: 'x', kind: 'user', grants: [], admin: true },
  ]) {
    writeFileSync(file, JSON.stringify({ 'secret-token': principal }));
    const { stderr } = await site.refuse({ REFERENCE_PRINCIPALS_FILE: file });
    expect(stderr).toMatch(/Cannot start: .*bad\.json.*entry 1/);
    expect(stderr).not.toContain('secret-token');
  }
  writeFileSync(file, '{}');
  await expectRefusal(['bad.json', 'names nobody'], { REFERENCE_PRINCIPALS_FILE: file });
  writeFileSync(file, '{');
  await expectRefusal(['bad.json', 'not valid JSON'], { REFERENCE_PRINCIPALS_FILE: file });
});

it('refuses a port in use', async () => {
  const life = await site.boot();
  const other = new Site();
  const { stderr } = await other.refuse({ ORCHESTRATOR_PORT: new URL(life.url).port });
  expect(stderr).toMatch(/Cannot start: .*in use/);
  await other.dispose();
});

it('a corrupt journal line stops the start with its number; nothing is overwritten', async () => {
  await used();
  const lines = readFileSync(site.journalFile, 'utf8').split('\n');
  lines[1] = lines[1]!.replace('"a"', '"b"');
  const corrupt = lines.join('\n');
  writeFileSync(site.journalFile, corrupt);
  await expectRefusal(['journal.jsonl', /line 2/]);
  expect(readFileSync(site.journalFile, 'utf8')).toBe(corrupt);
});

it('a torn last line of the journal is set aside, and the start goes on', async () => {
  await used();
  const whole = readFileSync(site.journalFile, 'utf8');
  writeFileSync(site.journalFile, `${whole}{"event":{"half`);
  const life = await site.boot();
  expect(life.output).toContain('Journal repaired');
  expect(readFileSync(site.journalFile, 'utf8')).toBe(whole);
});

it('a state file that is not SQLite, or of a newer version, stops the start with its name; it is not touched', async () => {
  mkdirSync(site.stateDir, { recursive: true });
  writeFileSync(stateFile(), 'no database at all, but long enough to be looked at as one'.repeat(50));
  const before = readFileSync(stateFile());
  await expectRefusal(['state.sqlite']);
  expect(readFileSync(stateFile())).toEqual(before);
});

it('a state file of a newer version stops the start', async () => {
  await used();
  const db = new DatabaseSync(stateFile());
  db.exec('PRAGMA user_version = 9999');
  db.close();
  await expectRefusal(['state.sqlite', /newer|version/]);
});

it('a host id that is lost or empty stops the start', async () => {
  await used();
  const file = join(site.stateDir, 'host-id');
  const hostId = readFileSync(file, 'utf8');
  writeFileSync(file, '');
  await expectRefusal(['host-id', 'journal names it']);
  rmSync(file);
  await expectRefusal(['host-id', 'missing']);
  writeFileSync(file, hostId);
  await site.boot();
});

it('a state file that another process holds locked stops the start', async () => {
  await used();
  const db = new DatabaseSync(stateFile());
  db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  await expectRefusal(['state.sqlite', /lock|busy|use/i]);
  db.close();
});

it('a second server on the same folder is refused while the first lives', async () => {
  await site.boot();
  await expectRefusal(['journal', /lock|writer|process/]);
});
