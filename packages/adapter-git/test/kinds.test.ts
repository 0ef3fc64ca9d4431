import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { contents, gitIn, put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site({ 'a.txt': 'one\n', 'b/c.txt': 'two\n' });
});
afterEach(() => site.dispose());

describe('work is salvaged onto its base', () => {
  it('in a shallow clone', async () => {
    for (const text of ['2', '3']) {
      put(site.repository, { 'a.txt': text });
      site.git('commit', '-qam', text);
    }
    const shallow = join(site.folder, 'shallow');
    gitIn(site.folder, 'clone', '-q', '--depth', '1', `file://${site.repository}`, shallow);
    rmSync(site.repository, { recursive: true });
    renameSync(shallow, site.repository);
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    const head = gitIn(path, 'rev-parse', 'HEAD').trim();
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.git('rev-parse', `${salvageRef('agent-1')}^1`).trim()).toBe(head);
  });

  it('in a sparse worktree, without taking for deleted what was never there', async () => {
    const { agent, path } = await site.worktree();
    gitIn(path, 'sparse-checkout', 'set', '--cone', '--sparse-index');
    put(path, { 'a.txt': 'changed\n' });
    expect(existsSync(join(path, 'b'))).toBe(false);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.git('diff', '--name-status', 'main', salvageRef('agent-1')).trim()).toBe('M\ta.txt');
  });

  it('when all refs are packed and a split index is in use', async () => {
    const { agent, path } = await site.worktree();
    site.git('gc', '-q');
    gitIn(path, 'update-index', '--split-index');
    put(path, { 'new.txt': 'new\n' });
    const before = contents(path);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.restored()).toEqual(before);
  });

  it('with commits of a rebase under way', async () => {
    const { agent, path } = await site.worktree();
    for (const text of ['mine 1', 'mine 2']) {
      put(path, { 'a.txt': `${text}\n` });
      gitIn(path, 'commit', '-qam', text);
    }
    put(site.repository, { 'a.txt': 'theirs\n' });
    site.git('commit', '-qam', 'theirs');
    expect(() => gitIn(path, 'rebase', 'main')).toThrow();
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.git('log', '--format=%s', salvageRef('agent-1'))).toContain('mine 2');
  });
});

test.each([
  'packed-refs',
  'objects/info/alternates',
  'shallow',
  'info/exclude',
  'config',
  'HEAD',
  'refs/killswitch',
  'index',
])('a pipe in place of %s hangs nothing, and no work is lost', async (part) => {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'new\n' });
  const away = join(site.folder, 'away');
  mkdirSync(join(site.gitDir, part, '..'), { recursive: true });
  if (existsSync(join(site.gitDir, part))) renameSync(join(site.gitDir, part), away);
  execFileSync('mkfifo', [join(site.gitDir, part)]);
  const since = performance.now();
  await site.remove(agent, { gitDeadlineMs: 1_000 }).catch(() => undefined);
  expect(performance.now() - since).toBeLessThan(12_000);
  expect(existsSync(path)).toBe(false);
  rmSync(join(site.gitDir, part));
  if (existsSync(away)) renameSync(away, join(site.gitDir, part));
  await site.removal().sweep();
  expect(Object.keys(site.restored('agent-1', site.salvages[0]?.ref))).toContain('new.txt');
});
