import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { exclusive } from './exclusive.mjs';

const module = fileURLToPath(new URL('./exclusive.mjs', import.meta.url));
const name = `test-${process.pid}`;

/** Another process that holds the lock until it is killed; answers when it has it. */
async function holder(lock: string) {
  const code = `
    import { exclusive } from ${JSON.stringify(module)};
    await exclusive(${JSON.stringify(lock)}, () => new Promise((resolve) => {
      console.log('held');
      setTimeout(resolve, 60_000);
    }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('work of one name never overlaps, and everybody gets a turn', async () => {
  let inside = 0;
  const work = async (result: number): Promise<number> => {
    inside++;
    expect(inside).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside--;
    return result;
  };
  const turns = Array.from({ length: 8 }, (_, index) => exclusive(`${name}-turns`, () => work(index)));
  expect(await Promise.all(turns)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('work that throws frees the lock', async () => {
  const failing = exclusive(`${name}-throws`, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await exclusive(`${name}-throws`, async () => 'free', 100)).toBe('free');
});

test('a holder killed outright frees the lock', async () => {
  const child = await holder(`${name}-killed`);
  const turn = exclusive(`${name}-killed`, async () => 'mine', 10_000);
  child.kill('SIGKILL');
  expect(await turn).toBe('mine');
});

test('waiting for a holder ends at the deadline', async () => {
  await holder(`${name}-late`);
  await expect(exclusive(`${name}-late`, async () => {}, 100)).rejects.toThrow(
    'Another process held the lock',
  );
});
