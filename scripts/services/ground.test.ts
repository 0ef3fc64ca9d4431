import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findProcesses, livesOn } from '../lib/processes.ts';
import { Ground } from './ground.ts';

test('a stop leaves no process and no file, not even of a daemon that has left its group', async () => {
  const ground = await Ground.make();
  const script = join(ground.folder, 'daemon.sh');
  await writeFile(script, `setsid sh -c 'trap "" TERM; while :; do sleep 1; done' ${ground.folder} & wait`);
  await ground.daemon('daemon', 'sh', [script]);
  const alive = () => findProcesses((pid) => livesOn(pid, ground.folder)).length;
  await expect.poll(alive, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
  await ground.stop();
  expect(alive()).toBe(0);
  expect(existsSync(ground.folder)).toBe(false);
});

test('everything is undone, last first, whatever fails; the fault is named', async () => {
  const ground = await Ground.make();
  const undone: string[] = [];
  await ground.onStop(async () => void undone.push('first'));
  await ground.onStop(() => Promise.reject(new Error('stuck')));
  await ground.onStop(async () => void undone.push('last'));
  await expect(ground.stop()).rejects.toMatchObject({ errors: [new Error('stuck')] });
  expect(undone).toEqual(['last', 'first']);
  expect(existsSync(ground.folder)).toBe(false);
});

test('nothing starts on a ground that is being stopped, and what comes late is undone at once', async () => {
  const ground = await Ground.make();
  const stop = ground.stop();
  await expect(ground.daemon('late', 'sleep', ['60'])).rejects.toThrow('being stopped');
  let undone = false;
  await ground.onStop(async () => {
    undone = true;
  });
  expect(undone).toBe(true);
  await stop;
});

test('a daemon that ends says what it wrote', async () => {
  const ground = await Ground.make();
  const daemon = await ground.daemon('brief', 'sh', ['-c', 'echo out; echo err >&2']);
  await expect.poll(() => daemon.ended).toBe(true);
  expect(await daemon.log()).toBe('out\nerr\n');
  await ground.stop();
});
