import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { identify } from '../lib/processes.ts';

const module = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** A parent that runs the script through runChild and ends as it ends. */
function parentOf(script: string, options = {}): { parent: ChildProcess; lines: AsyncIterator<string> } {
  const code = `
    import { exitLike, runChild } from ${JSON.stringify(module)};
    const options = { stdio: 'inherit', ...${JSON.stringify(options)} };
    exitLike(await runChild(process.execPath, ['-e', ${JSON.stringify(script)}], options));`;
  const args = ['--input-type=module', '-e', code];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  return { parent, lines: createInterface(parent.stdout)[Symbol.asyncIterator]() };
}

async function pidFrom(lines: AsyncIterator<string>): Promise<number> {
  const { value } = await lines.next();
  expect(value).toMatch(/^\d+$/);
  return Number(value);
}

const sayPid = 'console.log(process.pid); setInterval(() => {}, 1000);';

/** Zombies do not count: whoever adopts an orphan may be slow to bury it. */
const isThere = (pid: number): boolean => identify(pid) !== undefined;

test('the exit code passes through', async () => {
  const { parent } = parentOf('process.exitCode = 7');
  expect(await once(parent, 'exit')).toEqual([7, null]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s reaches the child, and the parent dies of it too',
  async (signal) => {
    const { parent, lines } = parentOf(sayPid);
    const childPid = await pidFrom(lines);
    expect(isThere(childPid)).toBe(true);
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([null, signal]);
    expect(isThere(childPid)).toBe(false);
  },
);

test('a signal that comes twice in a moment counts once', async () => {
  const counting = `
    let count = 0;
    process.on('SIGINT', () => console.log('interrupted', ++count));
    process.on('SIGTERM', () => process.exit(10 + count));
    ${sayPid}`;
  const { parent, lines } = parentOf(counting, { repeatMs: 60_000 });
  await pidFrom(lines);
  parent.kill('SIGINT');
  expect(await lines.next()).toMatchObject({ value: 'interrupted 1' });
  parent.kill('SIGINT');
  parent.kill('SIGTERM');
  expect(await once(parent, 'exit')).toEqual([11, null]);
});

test('a child that ignores the signal is killed when its grace is over', async () => {
  const { parent, lines } = parentOf(`process.on('SIGTERM', () => {}); ${sayPid}`, { graceMs: 200 });
  const childPid = await pidFrom(lines);
  parent.kill('SIGTERM');
  expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
  expect(isThere(childPid)).toBe(false);
});

test('a child past its deadline is killed', async () => {
  const { parent } = parentOf(sayPid, { deadlineMs: 200 });
  expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
});

test.runIf(process.platform === 'linux')(
  'a parent that is killed outright takes the child with it',
  async () => {
    const { parent, lines } = parentOf(sayPid);
    const childPid = await pidFrom(lines);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await expect.poll(() => isThere(childPid), { timeout: 3_000 }).toBe(false);
  },
);
