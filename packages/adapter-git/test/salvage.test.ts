import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { contents, gitIn, put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site({ 'a.txt': 'one\n', 'b/c.txt': 'two\n', 'gone.txt': 'three\n', '.gitignore': '*.log\n' });
});
afterEach(() => site.dispose());

describe('a salvage holds byte for byte', () => {
  it('what was changed, added, deleted, made executable and linked, under any name', async () => {
    const { agent, path } = await site.worktree();
    put(path, {
      'a.txt': randomBytes(100_000),
      'new/deep/er.bin': randomBytes(5_000_000),
      'with\nline feed': 'x',
      ' spaces "and quotes" \\ ': 'x',
      '-dash': 'x',
      ':(glob)*': 'x',
      empty: '',
      'crlf.txt': 'one\r\ntwo\r\n',
      'tool.sh': '#!/bin/sh\n',
    });
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe, 0x80])]), 'not UTF-8');
    chmodSync(join(path, 'tool.sh'), 0o755);
    rmSync(join(path, 'gone.txt'));
    symlinkSync('/etc/passwd', join(path, 'link'));
    symlinkSync('nowhere', join(path, 'broken'));
    const before = contents(path);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.restored()).toEqual(before);
    expect(site.salvages).toMatchObject([
      {
        agentId: 'agent-1',
        gitDir: site.gitDir,
        ref: 'refs/killswitch/salvage/agent-1',
        files: 12,
        leftOut: 0,
      },
    ]);
    site.git('fsck', '--strict', '--full');
  });

  it('what attributes would have converted', async () => {
    const { agent, path } = await site.worktree();
    put(path, {
      '.gitattributes': '* text eol=lf ident working-tree-encoding=UTF-16\n*.bin filter=nowhere\n',
      'crlf.txt': 'one\r\n$Id$\r\n',
      'ident.txt': '$Id: 1234 $\n',
      'x.bin': randomBytes(1_000),
    });
    const before = contents(path);
    await site.remove(agent);
    const tree = join(site.folder, 'raw');
    mkdirSync(tree);
    for (const name of Object.keys(before)) {
      const bytes = execFileSync('git', ['cat-file', 'blob', `${salvageRef('agent-1')}:${name}`], {
        cwd: site.repository,
      });
      put(tree, { [name]: bytes });
    }
    expect(contents(tree)).toEqual(before);
  });

  it('pointers of git-lfs and what was checked out in their place, without its filter', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`;
    put(site.repository, {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'pointer.bin': pointer,
      'smudged.bin': pointer,
    });
    site.git('add', '-A');
    site.git('commit', '-qm', 'with pointers');
    site.git('config', 'filter.lfs.clean', 'false');
    site.git('config', 'filter.lfs.smudge', 'false');
    site.git('config', 'filter.lfs.required', 'true');
    const { agent, path } = await site.worktree();
    put(path, {
      'smudged.bin': randomBytes(12_345),
      'new.bin': randomBytes(1_000),
      'new-pointer.bin': pointer,
    });
    const before = contents(path);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    for (const key of ['clean', 'smudge', 'required']) site.git('config', '--unset', `filter.lfs.${key}`);
    expect(site.restored()).toEqual(before);
    expect(site.git('show', `${salvageRef('agent-1')}:pointer.bin`)).toBe(pointer);
  });

  it('files and folders that took each other’s place', async () => {
    const { agent, path } = await site.worktree();
    rmSync(join(path, 'a.txt'));
    put(path, { 'a.txt/inner': 'x' });
    rmSync(join(path, 'b'), { recursive: true });
    symlinkSync('/etc', join(path, 'b'));
    const before = contents(path);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.restored()).toEqual(before);
  });

  it('what its index hides: changed with its date put back, assumed unchanged, not to be looked at', async () => {
    const { agent, path } = await site.worktree();
    const stat = statSync(join(path, 'a.txt'));
    writeFileSync(join(path, 'a.txt'), 'eno\n');
    utimesSync(join(path, 'a.txt'), stat.atime, stat.mtime);
    gitIn(path, 'update-index', '--assume-unchanged', 'b/c.txt');
    gitIn(path, 'update-index', '--skip-worktree', 'gone.txt');
    put(path, { 'b/c.txt': 'changed', 'gone.txt': 'changed' });
    const before = contents(path);
    await site.remove(agent);
    expect(site.restored()).toEqual(before);
  });

  it('what lies in folders and files that nobody may read', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'closed/inner/x.txt': 'x', 'secret.txt': 'y' });
    const before = contents(path);
    chmodSync(join(path, 'closed/inner'), 0);
    chmodSync(join(path, 'closed'), 0);
    chmodSync(join(path, 'secret.txt'), 0);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.restored()).toEqual(before);
  });

  it('nested repositories, their history included', async () => {
    const { agent, path } = await site.worktree();
    const nested = join(path, 'vendor/nested');
    mkdirSync(nested, { recursive: true });
    gitIn(nested, 'init', '-q', '-b', 'main');
    put(nested, { 'n.txt': 'committed\n' });
    gitIn(nested, 'add', '-A');
    gitIn(nested, 'commit', '-qm', 'nested');
    put(nested, { 'n.txt': 'changed\n' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    site.git('worktree', 'add', '-q', '--detach', join(site.folder, 'back'), salvageRef('agent-1'));
    const back = join(site.folder, 'back/vendor/nested');
    renameSync(join(back, '.git-salvaged'), join(back, '.git'));
    // Git stores no empty folders.
    mkdirSync(join(back, '.git/refs/tags'), { recursive: true });
    expect(gitIn(back, 'log', '--format=%s').trim()).toBe('nested');
    expect(gitIn(back, 'status', '--porcelain').trim()).toBe('M n.txt');
  });

  it('submodules, as plain files', async () => {
    const library = join(site.folder, 'library');
    mkdirSync(library);
    gitIn(library, 'init', '-q', '-b', 'main');
    put(library, { 'l.txt': 'library\n' });
    gitIn(library, 'add', '-A');
    gitIn(library, 'commit', '-qm', 'library');
    site.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib');
    site.git('commit', '-qm', 'with a submodule');
    const { agent, path } = await site.worktree();
    gitIn(path, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    put(path, { 'lib/l.txt': 'changed\n', 'lib/new.txt': 'new\n' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.git('show', `${salvageRef('agent-1')}:lib/l.txt`)).toBe('changed\n');
    expect(site.git('show', `${salvageRef('agent-1')}:lib/new.txt`)).toBe('new\n');
  });
});

it('leaves out what is ignored, by .gitignore and by info/exclude', async () => {
  const { agent, path } = await site.worktree();
  writeFileSync(join(site.gitDir, 'info/exclude'), 'cache/\n');
  put(path, { 'x.log': 'x', 'cache/y': 'y', 'new.txt': 'z' });
  await site.remove(agent);
  expect(Object.keys(site.restored()).sort()).toEqual([
    '.gitignore',
    'a.txt',
    'b/c.txt',
    'gone.txt',
    'new.txt',
  ]);
});

it('has what the agent was on as first parent, and what was staged as another', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'a.txt': 'committed\n' });
  gitIn(path, 'commit', '-qam', 'committed by the agent');
  const head = gitIn(path, 'rev-parse', 'HEAD').trim();
  put(path, { 'a.txt': 'staged\n' });
  gitIn(path, 'add', 'a.txt');
  put(path, { 'a.txt': 'changed\n' });
  await site.remove(agent);
  const ref = salvageRef('agent-1');
  expect(site.git('rev-parse', `${ref}^1`).trim()).toBe(head);
  expect(site.git('show', `${ref}:a.txt`)).toBe('changed\n');
  expect(site.git('show', `${ref}^2:a.txt`)).toBe('staged\n');
  expect(site.git('show', '-s', '--format=%B', ref)).toContain(`Was on: ${head}`);
});

it('keeps commits that are on no branch, also those that were undone', async () => {
  const { agent, path } = await site.worktree();
  const made: string[] = [];
  for (const text of ['first try', 'second try']) {
    gitIn(path, 'reset', '-q', '--hard', 'main');
    for (const step of ['1', '2']) {
      put(path, { 'a.txt': `${text} ${step}\n` });
      gitIn(path, 'commit', '-qam', `${text} ${step}`);
    }
    made.push(gitIn(path, 'rev-parse', 'HEAD').trim());
  }
  gitIn(path, 'reset', '-q', '--hard', 'main');
  await site.remove(agent);
  site.git('gc', '-q', '--prune=now');
  for (const commit of made) site.git('merge-base', '--is-ancestor', commit, salvageRef('agent-1'));
  expect(site.git('rev-list', '--count', `main..${salvageRef('agent-1')}`).trim()).toBe('5');
});

describe('its size', () => {
  it('is limited: the smallest files first, and what was left out is named', async () => {
    const { agent, path } = await site.worktree();
    put(path, { small: 'x'.repeat(10), large: 'x'.repeat(2_000), 'a.txt': 'y'.repeat(3_000) });
    await site.remove(agent, { salvage: { maxBytes: 1_000 } });
    expect(site.salvages).toMatchObject([{ files: 1, bytes: 10, leftOut: 2 }]);
    expect(site.git('show', `${salvageRef('agent-1')}:a.txt`)).toBe('one\n');
    const message = site.git('show', '-s', '--format=%B', salvageRef('agent-1'));
    expect(message).toContain('"large"');
    expect(message).toContain('"a.txt"');
    expect(site.leftovers()).toEqual([]);
  });

  it('is limited in files', async () => {
    const { agent, path } = await site.worktree();
    put(path, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, 'x'])));
    await site.remove(agent, { salvage: { maxFiles: 7 } });
    expect(site.salvages).toMatchObject([{ files: 7, leftOut: 23 }]);
  });

  it('does not count a file with nothing but a hole in it, which is left out', async () => {
    const { agent, path } = await site.worktree();
    execFileSync('truncate', ['-s', '1T', join(path, 'hole')]);
    put(path, { small: 'x' });
    await site.remove(agent);
    expect(site.salvages).toMatchObject([{ files: 1, leftOut: 1 }]);
  });
});

it('is not made when switched off', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'x' });
  await site.remove(agent, { salvage: false });
  expect(site.hasSalvage()).toBe(false);
  expect(site.leftovers()).toEqual([]);
});

it('does not replace an earlier one of the same agent, also when that is packed', async () => {
  for (const text of ['one', 'two', 'three']) {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': text });
    await site.remove(agent);
    site.git('pack-refs', '--all');
  }
  const refs = site.salvages.map(({ ref }) => ref);
  expect(refs[0]).toBe(salvageRef('agent-1'));
  expect(refs.map((ref) => site.git('show', `${ref}:new.txt`))).toEqual(['one', 'two', 'three']);
});

it('takes no ref for its own that somebody forged', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'true' });
  site.git('update-ref', salvageRef('agent-1'), 'HEAD');
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  const [salvaged] = site.salvages;
  expect(salvaged?.ref).toMatch(/^refs\/killswitch\/salvage\/agent-1%[0-9a-f]{12}$/);
  expect(site.git('show', `${salvaged?.ref}:new.txt`)).toBe('true');
});

it.each([
  ':'.repeat(120),
  'a:b',
  'a~b',
  'a..b',
  'a.',
  'a.lock',
  'a@',
  '-a',
  'x|y+z=1',
  'agt_01M7X9CZ40QAR5E64DSTYV5244',
])('has a name that git takes for agent %j', async (agentId) => {
  const { agent, path } = await site.worktree(agentId);
  put(path, { 'new.txt': agentId });
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  expect(site.git('show', `${salvageRef(agentId)}:new.txt`)).toBe(agentId);
  expect(site.leftovers()).toEqual([]);
});
