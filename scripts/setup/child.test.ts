import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { identify } from '../lib/processes.ts';

const module = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** A parent that runs the script through runChild and ends as it ends; the script's first line is awaited. */
async function parentOf(script: string, options = {}): Promise<{ parent: ChildProcess; childPid: number }> {
  const code = `
    import { exitLike, runChild } from ${JSON.stringify(module)};
    const options = { stdio: 'inherit', ...${JSON.stringify(options)} };
    exitLike(await runChild(process.execPath, ['-e', ${JSON.stringify(script)}], options));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  return { parent, childPid: Number(String(line).trim()) };
}

const sayPid = 'console.log(process.pid); setInterval(() => {}, 1000);';

/** Zombies do not count: whoever adopts an orphan may be slow to bury it. */
const isThere = (pid: number): boolean => identify(pid) !== undefined;

test('the exit code passes through', async () => {
  const { parent } = await parentOf('console.log(process.pid); process.exitCode = 7');
  expect(await once(parent, 'exit')).toEqual([7, null]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s reaches the child, and the parent dies of it too',
  async (signal) => {
    const { parent, childPid } = await parentOf(sayPid);
    expect(isThere(childPid)).toBe(true);
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([null, signal]);
    expect(isThere(childPid)).toBe(false);
  },
);

test('a signal that comes twice in a moment counts once', async () => {
  const counting = `
    let count = 0;
    process.on('SIGINT', () => { if (++count === 1) setTimeout(() => process.exit(10 + count), 300); });
    ${sayPid}`;
  const { parent } = await parentOf(counting);
  parent.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 50));
  parent.kill('SIGINT');
  expect(await once(parent, 'exit')).toEqual([11, null]);
});

test('a child that ignores the signal is killed when its grace is over', async () => {
  const { parent, childPid } = await parentOf(`process.on('SIGTERM', () => {}); ${sayPid}`, { graceMs: 200 });
  parent.kill('SIGTERM');
  expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
  expect(isThere(childPid)).toBe(false);
});

test('a child past its deadline is killed', async () => {
  const { parent } = await parentOf(sayPid, { deadlineMs: 200 });
  expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
});

test.runIf(process.platform === 'linux')(
  'a parent that is killed outright takes the child with it',
  async () => {
    const { parent, childPid } = await parentOf(sayPid);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await expect.poll(() => isThere(childPid), { timeout: 3_000 }).toBe(false);
  },
);
