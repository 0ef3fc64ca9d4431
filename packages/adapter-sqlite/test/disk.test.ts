import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { agentOf } from './records.ts';
import { Child, opened, temporaryFolder } from './support.ts';

it('a disk that takes no more refuses admission by name, and still reads; nothing acknowledged is lost', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const [admitted, code, listed] =
    (await new Child('filler', [file], { fileBlocks: 1_200 }).hear())?.split(' ') ?? [];
  expect(code).toBe('state-disk');
  expect(Number(admitted)).toBeGreaterThan(10);
  expect(listed).toBe(admitted);
  const store = opened(file);
  expect((await store.listAgents('everything', { limit: 1_000 })).items).toHaveLength(Number(admitted));
  expect(await store.admit(agentOf('after'))).toEqual({ result: 'admitted' });
});

it.runIf(process.platform === 'linux')(
  'opening a second client in one process keeps the locks of the first',
  () => {
    const file = join(temporaryFolder(), 'state.db');
    const locks = () =>
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter((line) => line.includes(` ${process.pid} `))
        .map((line) => line.replace(/^\d+: /, ''))
        .toSorted();
    const before = locks();
    opened(file);
    const held = locks();
    expect(held.length).toBeGreaterThan(before.length);
    opened(file);
    expect(locks()).toEqual(held);
  },
);
