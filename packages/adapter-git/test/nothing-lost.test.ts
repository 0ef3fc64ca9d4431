import { spawnSync } from 'node:child_process';
import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { gitIn, put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site({ 'a.txt': 'one\n', 'b/c.txt': 'two\n', '.gitignore': '*.log\n' });
});
afterEach(() => site.dispose());

/** What everything that the salvage holds says: blobs of all its commits. */
function kept(ref: string = salvageRef('agent-1')): string {
  const oids = site.git('rev-list', '--objects', '--no-object-names', ref, '--not', 'main');
  const options = { cwd: site.repository, input: oids, encoding: 'utf8' as const, maxBuffer: 100_000_000 };
  return spawnSync('git', ['cat-file', '--batch'], options).stdout;
}

/** Git that may stop in a conflict. */
function tryGit(folder: string, ...args: string[]): void {
  const who = ['-c', 'user.name=agent', '-c', 'user.email=agent@localhost'];
  spawnSync('git', [...who, ...args], { cwd: folder });
}

/** Two commits that change the same file; HEAD is on one of them, the other is branch `other`. */
function diverge(path: string): void {
  gitIn(path, 'checkout', '-q', '-b', 'other');
  put(path, { 'a.txt': 'theirs\n' });
  gitIn(path, 'commit', '-qam', 'theirs');
  gitIn(path, 'checkout', '-q', '--detach', 'main');
  put(path, { 'a.txt': 'ours\n' });
  gitIn(path, 'commit', '-qam', 'ours');
}

const gitPath = (path: string, name: string): string =>
  join(site.gitDir, 'worktrees', path.slice(path.lastIndexOf('/') + 1), name);

describe('a salvage keeps what git itself had put away', () => {
  test.each([
    ['rebase', ['rebase', '--autostash', 'other'], 'rebase-merge/autostash'],
    ['rebase by patches', ['rebase', '--apply', '--autostash', 'other'], 'rebase-apply/autostash'],
    ['merge', ['merge', '--autostash', 'other'], 'MERGE_AUTOSTASH'],
    ['pull', ['pull', '-q', '--rebase', '--autostash', '.', 'other'], 'rebase-merge/autostash'],
  ])('when a %s with --autostash stopped in a conflict', async (_, command, file) => {
    const { agent, path } = await site.worktree();
    diverge(path);
    put(path, { 'b/c.txt': 'put away\n' });
    tryGit(path, ...command);
    expect(existsSync(gitPath(path, file))).toBe(true);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(kept()).toContain('put away');
  });
});

describe('a salvage keeps what a split index names', () => {
  it('as staged', async () => {
    const { agent, path } = await site.worktree();
    gitIn(path, 'update-index', '--split-index');
    put(path, { 'a.txt': 'staged\n' });
    gitIn(path, 'add', 'a.txt');
    put(path, { 'a.txt': 'later\n' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.git('show', `${salvageRef('agent-1')}^2:a.txt`)).toBe('staged\n');
    expect(site.salvages).toMatchObject([{ unkept: [] }]);
  });

  it('also ignored files that were added by force, and nothing else', async () => {
    site.git('config', 'core.splitIndex', 'true');
    const { agent, path } = await site.worktree();
    put(path, { 'forced.log': 'forced\n' });
    gitIn(path, 'add', '-f', 'forced.log');
    put(path, { 'forced.log': 'forced and changed\n' });
    await site.remove(agent);
    expect(Object.keys(site.restored()).sort()).toEqual(['.gitignore', 'a.txt', 'b/c.txt', 'forced.log']);
    expect(kept()).toContain('forced and changed');
  });
});

it('a salvage says that an index could not be read, also when there is nothing else to keep', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'forced.log': 'forced\n' });
  gitIn(path, 'add', '-f', 'forced.log');
  writeFileSync(gitPath(path, 'index'), 'DIRC no more');
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  expect(site.salvages).toMatchObject([{ unkept: [expect.stringContaining('index')] }]);
  expect(site.git('show', '-s', '--format=%B', salvageRef('agent-1'))).toContain('index could not be read');
});

it('a salvage takes no date for a content, 1970 included', async () => {
  const { agent, path } = await site.worktree();
  const file = join(path, 'a.txt');
  for (;;) {
    writeFileSync(file, 'AAAA\n');
    utimesSync(file, 0, 0);
    gitIn(path, 'add', 'a.txt');
    const { ctimeMs } = statSync(file);
    writeFileSync(file, 'BBBB\n');
    utimesSync(file, 0, 0);
    // Git compares whole seconds: again, if one has gone by in between.
    if (Math.floor(ctimeMs / 1_000) === Math.floor(statSync(file).ctimeMs / 1_000)) break;
  }
  expect(gitIn(path, 'ls-files', '-m')).toBe('');
  await site.remove(agent);
  expect(site.git('show', `${salvageRef('agent-1')}:a.txt`)).toBe('BBBB\n');
  expect(site.git('show', `${salvageRef('agent-1')}^2:a.txt`)).toBe('AAAA\n');
});

it('a salvage keeps every undone commit, however many', async () => {
  const { agent, path } = await site.worktree();
  const base = gitIn(path, 'rev-parse', 'HEAD').trim();
  const tree = gitIn(path, 'rev-parse', 'HEAD^{tree}').trim();
  const undone = Array.from({ length: 70 }, (_, i) =>
    gitIn(path, 'commit-tree', tree, '-p', base, '-m', `undone ${i}`).trim(),
  );
  const lines = undone.map((commit) => `${base} ${commit} a <a@localhost> 1700000000 +0000\tcommit\n`);
  writeFileSync(gitPath(path, 'logs/HEAD'), lines.join(''));
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  site.git('gc', '-q', '--prune=now');
  const all = new Set(site.git('rev-list', salvageRef('agent-1')).split('\n'));
  expect(undone.filter((commit) => !all.has(commit))).toEqual([]);
  expect(site.salvages).toMatchObject([{ unkept: [] }]);
  site.git('fsck', '--strict');
});

it('a salvage says that a reflog was too large to be read', async () => {
  const { agent, path } = await site.worktree();
  writeFileSync(gitPath(path, 'logs/HEAD'), `${'x'.repeat(1_023)}\n`.repeat(40_000));
  await site.remove(agent);
  expect(site.salvages).toMatchObject([{ unkept: [expect.stringContaining('undone')] }]);
});

describe('a salvage keeps what was staged during a conflict', () => {
  it('besides it, and its sides', async () => {
    const { agent, path } = await site.worktree();
    diverge(path);
    tryGit(path, 'merge', 'other');
    put(path, { 'b/c.txt': 'staged\n' });
    gitIn(path, 'add', 'b/c.txt');
    put(path, { 'b/c.txt': 'later\n', 'a.txt': 'half resolved\n' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    const ref = salvageRef('agent-1');
    expect(site.git('show', `${ref}:a.txt`)).toBe('half resolved\n');
    expect(site.git('show', `${ref}^2:b/c.txt`)).toBe('staged\n');
    const sides = ['one\n', 'ours\n', 'theirs\n'];
    expect([2, 3, 4].map((at) => site.git('show', `${ref}^2^${at}:a.txt`))).toEqual(sides);
  });

  it('when its folder is missing', async () => {
    const { agent, path } = await site.worktree();
    diverge(path);
    tryGit(path, 'merge', 'other');
    put(path, { 'b/c.txt': 'staged\n' });
    gitIn(path, 'add', 'b/c.txt');
    spawnSync('rm', ['-r', path]);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(kept()).toContain('staged');
  });
});

it('a salvage keeps commits and staged work of worktrees that the agent made in its own', async () => {
  const { agent, path } = await site.worktree();
  gitIn(path, 'worktree', 'add', '-q', '--detach', join(path, 'sub'));
  put(join(path, 'sub'), { 'a.txt': 'committed in it\n' });
  gitIn(join(path, 'sub'), 'commit', '-qam', 'inner');
  put(join(path, 'sub'), { 'a.txt': 'undone in it\n' });
  gitIn(join(path, 'sub'), 'commit', '-qam', 'undone');
  gitIn(join(path, 'sub'), 'reset', '-q', '--hard', 'HEAD^');
  put(join(path, 'sub'), { 'a.txt': 'staged in it\n' });
  gitIn(join(path, 'sub'), 'add', 'a.txt');
  put(join(path, 'sub'), { 'a.txt': 'later\n' });
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  site.git('worktree', 'prune', '--expire=now');
  site.git('gc', '-q', '--prune=now');
  for (const text of ['committed in it', 'undone in it', 'staged in it', 'later'])
    expect(kept()).toContain(text);
});

it('a salvage keeps sparse worktrees sparse, and finds what lies where nothing is expected', async () => {
  const { agent, path } = await site.worktree();
  gitIn(path, 'sparse-checkout', 'set', '--sparse-index', 'nowhere');
  put(path, { 'b/new.txt': 'new\n' });
  await site.remove(agent);
  expect(site.git('ls-tree', '-r', '--name-only', salvageRef('agent-1')).trim().split('\n')).toEqual([
    '.gitignore',
    'a.txt',
    'b/c.txt',
    'b/new.txt',
  ]);
});
