import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { git } from '../src/git.ts';

let folder: string;
const path = process.env.PATH;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killswitch-git-call-'));
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true, force: true });
});

const call = (signal = new AbortController().signal) => ({ cwd: folder, env: {}, deadlineMs: 700, signal });

/** Puts a git in the way that does this. */
function fakeGit(script: string): void {
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'git'), 0o755);
  process.env.PATH = `${folder}:${path}`;
}

async function isGone(pidFile: string): Promise<boolean> {
  while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await new Promise(setImmediate);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const limit = performance.now() + 3_000;
  while (performance.now() < limit) {
    try {
      if (/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return true;
    } catch {
      return true;
    }
    await new Promise(setImmediate);
  }
  return false;
}

/** Ignores what can be ignored, and has a child that does so too. */
const stubborn = `trap '' INT TERM HUP; (trap '' INT TERM HUP; sh -c 'echo $$ > child; exec sleep 600') & echo $$ > parent; wait; sleep 600`;

it('ends git and its children at the deadline, whatever they ignore', async () => {
  fakeGit(stubborn);
  await expect(git(call(), ['status'])).rejects.toThrow(/700 ms and was killed/);
  expect(await isGone(join(folder, 'parent'))).toBe(true);
  expect(await isGone(join(folder, 'child'))).toBe(true);
});

it('ends what is told to stop, at once if it can be ended so, at the latest at the deadline', async () => {
  fakeGit(stubborn);
  const controller = new AbortController();
  const answer = git(call(controller.signal), ['status']).catch((error) => error);
  while (!existsSync(join(folder, 'child'))) await new Promise(setImmediate);
  const since = performance.now();
  controller.abort(new Error('stop'));
  expect(await answer).toMatchObject({ message: 'stop' });
  expect(performance.now() - since).toBeLessThan(2_000);
  expect(await isGone(join(folder, 'parent'))).toBe(true);
  expect(await isGone(join(folder, 'child'))).toBe(true);
});

it('takes no more output than it asked for', async () => {
  fakeGit('exec yes');
  const answer = await git(call(), ['status'], { maxBytes: 1_000 });
  expect(answer.isCut).toBe(true);
  expect(answer.stdout.length).toBe(1_000);
});

it.each(['exit 3', 'kill -9 $$', 'echo no >&2; exit 1'])('takes %j for a failure', async (script) => {
  fakeGit(script);
  await expect(git(call(), ['status'])).rejects.toMatchObject({ code: 'git-failed' });
});

it('gives git nothing of this process’s environment that could run or show something', async () => {
  fakeGit('cat > input; env > seen; echo done');
  process.env.GIT_EXTERNAL_DIFF = 'evil';
  process.env.SECRET_OF_THE_SERVICE = 'evil';
  try {
    await git(call(), ['status'], { input: Buffer.from('in\0put') });
  } finally {
    delete process.env.GIT_EXTERNAL_DIFF;
    delete process.env.SECRET_OF_THE_SERVICE;
  }
  expect(readFileSync(join(folder, 'seen'), 'utf8')).not.toContain('evil');
  expect(readFileSync(join(folder, 'input'), 'utf8')).toBe('in\0put');
});

it('says what is not installed', async () => {
  process.env.PATH = folder;
  await expect(git(call(), ['status'])).rejects.toThrow(/coreutils/);
});
