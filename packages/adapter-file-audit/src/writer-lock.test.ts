import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ownIdentity } from './process-identity.ts';
import { takeLock, type WriterLock } from './writer-lock.ts';

async function temporaryLock(): Promise<{ directory: string; path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'writer-lock-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return { directory, path: join(directory, 'w.lock') };
}

/** Nobody has a pid this high. */
const dead = (token: string) => JSON.stringify({ pid: 2 ** 30, startTime: '1', bootId: null, token });
const tokenA = '00000000-0000-4000-8000-00000000000a';
const tokenB = '00000000-0000-4000-8000-00000000000b';

it('gives a free lock, and a dead one, to one of many takers', async () => {
  const { directory, path } = await temporaryLock();
  for (let round = 0; round < 40; round += 1) {
    if (round % 2 === 1) await writeFile(path, dead(tokenA));
    const takers = await Promise.allSettled(Array.from({ length: 12 }, () => takeLock(path)));
    const locks = takers.flatMap((taker): WriterLock[] =>
      taker.status === 'fulfilled' ? [taker.value] : [],
    );
    expect(locks).toHaveLength(1);
    for (const taker of takers) {
      if (taker.status === 'rejected')
        expect(taker.reason).toMatchObject({ code: 'journal-locked', pid: process.pid });
    }
    await locks[0]?.confirm();
    await locks[0]?.release();
    expect(await readdir(directory)).toEqual([]);
  }
});

it('takes over from a taker that died between its claim and its lock', async () => {
  const { directory, path } = await temporaryLock();
  await writeFile(path, dead(tokenA));
  await writeFile(`${path}.${tokenA}.taken`, dead(tokenB));
  const lock = await takeLock(path);
  await lock.confirm();
  expect(await readdir(directory)).toEqual(['w.lock']);
  await lock.release();
});

it('leaves a dead lock to a living taker that has claimed it', async () => {
  const { path } = await temporaryLock();
  await writeFile(path, dead(tokenA));
  await writeFile(`${path}.${tokenA}.taken`, JSON.stringify({ ...(await ownIdentity()), token: tokenB }));
  await expect(takeLock(path)).rejects.toMatchObject({ code: 'journal-locked', pid: process.pid });
  expect(await readFile(path, 'utf8')).toBe(dead(tokenA));
});

it('knows a pid that was given to another process, and another boot', async () => {
  const own = await ownIdentity();
  for (const other of [
    { ...own, startTime: '1' },
    { ...own, bootId: 'another boot' },
  ]) {
    const { path } = await temporaryLock();
    await writeFile(path, JSON.stringify({ ...other, token: tokenA }));
    const lock = await takeLock(path);
    await lock.release();
  }
});

it('touches no lock that it does not understand, and confirms none that is gone or not its own', async () => {
  const { directory, path } = await temporaryLock();
  await writeFile(path, 'mine');
  await expect(takeLock(path)).rejects.toThrow(/not one of this library/);
  expect(await readdir(directory)).toEqual(['w.lock']);
  await rm(path);
  const lock = await takeLock(path);
  await rm(path);
  await expect(lock.confirm()).rejects.toThrow(/gone/);
  await writeFile(path, dead(tokenA));
  await expect(lock.confirm()).rejects.toMatchObject({ code: 'journal-locked' });
  await lock.release();
  expect(await readFile(path, 'utf8')).toBe(dead(tokenA));
});
