import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Salvaged } from '../src/index.ts';
import { contents, never, put, Site } from './support/site.ts';

let site: Site;
let writer: ChildProcess | undefined;
beforeEach(() => {
  site = new Site();
});
afterEach(async () => {
  await stop();
  await site.dispose();
});

/** A writer that is not the agent: it goes on in the worktree until it is ended. Its first round is over when this resolves. */
async function write(path: string, round: string): Promise<void> {
  const source = `const fs = require('node:fs'); let i = 0; for (;;) { ${round}; if (i++ === 0) fs.writeSync(1, 'ready'); }`;
  const started = spawn(process.execPath, ['-e', source], {
    cwd: path,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  writer = started;
  await once(started.stdout as NodeJS.ReadableStream, 'data');
}

async function stop(): Promise<void> {
  if (writer === undefined || writer.exitCode !== null || writer.signalCode !== null) return;
  const closed = once(writer, 'close');
  writer.kill('SIGKILL');
  await closed;
}

const files = 100;

async function busy(loop: (outside: string) => string): Promise<{ agent: Agent; outside: string }> {
  const { agent, path } = await site.worktree();
  const outside = join(site.folder, 'outside');
  put(outside, { 'f.txt': 'precious' });
  put(path, Object.fromEntries(Array.from({ length: files }, (_, i) => [`d${i}/f.txt`, `work ${i}`])));
  await write(path, loop(outside));
  return { agent, outside };
}

/** Every file of the agent's is in some salvage, wherever the writer left it. */
function isAllSalvaged(): void {
  const held = site.salvages.flatMap(({ ref }) => site.git('ls-tree', '-r', ref).trim().split('\n'));
  const blobs = new Set(held.map((line) => line.split(/\s/)[2]));
  for (let i = 0; i < files; i++) expect(blobs).toContain(blobOf(`work ${i}`));
}

describe('by somebody who goes on in the worktree after the agent’s death', () => {
  const swap = (outside: string) => `for (const k of [0, 30, 60, 99]) {
    fs.renameSync('d' + k, 'o' + k);
    fs.symlinkSync(${JSON.stringify(outside)}, 'd' + k);
    fs.unlinkSync('d' + k);
    fs.renameSync('o' + k, 'd' + k);
  }`;
  const churn = () => `fs.mkdirSync('deep/' + (i % 500), { recursive: true });
    fs.writeFileSync('deep/' + (i % 500) + '/x', String(i));
    fs.rmSync('deep/' + ((i + 250) % 500), { recursive: true, force: true });`;

  // Whoever looks finds it in neither place, more often than not: also when they look again.
  const flutter = () => `fs.renameSync('d30', 'o30'); fs.renameSync('o30', 'd30');`;

  it.each([
    ['who swaps folders', swap],
    ['who renames a folder to and fro', flutter],
    ['who makes and removes files', churn],
  ])(
    '%s nothing is lost: what does not rest stays aside, which is said',
    async (_, loop) => {
      const { agent, outside } = await busy(loop);
      const before = contents(outside);
      const removal = site.removal({ retryAfterMs: 600_000 });
      await removal.run(agent, { signal: never });
      expect(existsSync(join(site.root, 'agent-1'))).toBe(false);
      await removal.idle();
      // Whether it was caught at rest is chance; that nothing is lost is not.
      if (site.salvages.length === 0) {
        expect(site.problems).toMatchObject([{ code: 'salvage-failed', cause: { code: 'worktree-busy' } }]);
        await stop();
        await removal.sweep();
      }
      await stop();
      await removal.sweep();
      isAllSalvaged();
      expect(contents(outside)).toEqual(before);
      expect(site.leftovers()).toEqual([]);
    },
    60_000,
  );
});

it('what could not be salvaged is tried again by itself', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'new\n' });
  const away = join(site.folder, 'away');
  renameSync(site.repository, away);
  const salvaged = Promise.withResolvers<Salvaged>();
  const failedTwice = Promise.withResolvers<void>();
  const removal = site.removal({
    retryAfterMs: 10,
    onSalvage: salvaged.resolve,
    onProblem: (error) => {
      site.problems.push(error);
      if (site.problems.length === 2) failedTwice.resolve();
    },
  });
  await removal.run(agent, { signal: never });
  await failedTwice.promise;
  renameSync(away, site.repository);
  expect(site.git('show', `${(await salvaged.promise).ref}:new.txt`)).toBe('new\n');
  await removal.idle();
  expect(site.leftovers()).toEqual([]);
});

/** The name that git gives such a content. */
function blobOf(text: string): string {
  return createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex');
}
