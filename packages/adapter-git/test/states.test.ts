import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Agent, createKillswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { createWorktree, worktreeResource } from '../src/index.ts';
import { agentOf, contents, gitIn, put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

const registration = (agentId = 'agent-1') => join(site.gitDir, 'worktrees', agentId);

/** In whatever state it is: afterwards nothing is left of it, git knows of nothing, and a second run finds nothing to do. */
async function isRemoved(agent: Agent): Promise<void> {
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  expect(existsSync(join(site.root, agent.agentId))).toBe(false);
  expect(site.registered()).toEqual([]);
  expect(site.leftovers()).toEqual([]);
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  site.git('fsck', '--strict', '--no-dangling');
  // The repository is as usable as before: the same place can be a worktree again.
  site.git('worktree', 'add', '-q', '--detach', join(site.root, agent.agentId));
}

describe('a worktree is removed', () => {
  it('when it is clean, and nothing is salvaged', async () => {
    const { agent } = await site.worktree();
    await isRemoved(agent);
    expect(site.hasSalvage()).toBe(false);
  });

  it('when it is dirty', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'a.txt': 'changed\n', 'new.txt': 'new\n' });
    await isRemoved(agent);
    expect(site.hasSalvage()).toBe(true);
  });

  it('when it is locked', async () => {
    const { agent, path } = await site.worktree();
    site.git('worktree', 'lock', '--reason', 'mine', path);
    await isRemoved(agent);
  });

  it('when its folder is missing, and what was staged is salvaged', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'staged.txt': 'staged\n' });
    gitIn(path, 'add', 'staged.txt');
    rmSync(path, { recursive: true });
    await isRemoved(agent);
    expect(Object.keys(site.restored())).toContain('staged.txt');
  });

  it('when its registration is missing, and all its files are salvaged', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    const before = contents(path);
    rmSync(registration(), { recursive: true });
    await isRemoved(agent);
    expect(site.restored()).toEqual(before);
  });

  it('when its .git file is missing', async () => {
    const { agent, path } = await site.worktree();
    rmSync(join(path, '.git'));
    await isRemoved(agent);
  });

  test.each([
    '',
    'gitdir:',
    'gitdir: /nonexistent',
    'gitdir: ../repository/.git',
    '\0\0\0',
    'x'.repeat(100_000),
  ])('when its .git file says %j', async (content) => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    writeFileSync(join(path, '.git'), content);
    await isRemoved(agent);
    expect(Object.keys(site.restored())).toContain('new.txt');
  });

  it("when git's own removal was cut off after the files", async () => {
    const { agent, path } = await site.worktree();
    rmSync(path, { recursive: true });
    await isRemoved(agent);
  });

  it("when git's own removal was cut off among the files", async () => {
    const { agent, path } = await site.worktree();
    rmSync(join(path, '.git'));
    rmSync(join(path, 'b'), { recursive: true });
    await isRemoved(agent);
  });

  test.each(['gitdir', 'HEAD', 'commondir', 'index', 'logs'])(
    "when git's own removal was cut off with %s gone from the registration",
    async (part) => {
      const { agent, path } = await site.worktree();
      put(path, { 'new.txt': 'new\n' });
      rmSync(join(registration(), part), { recursive: true, force: true });
      await isRemoved(agent);
      expect(Object.keys(site.restored())).toContain('new.txt');
    },
  );

  it('when both folder and registration are half gone', async () => {
    const { agent, path } = await site.worktree();
    rmSync(join(path, '.git'));
    for (const part of ['gitdir', 'HEAD', 'commondir']) rmSync(join(registration(), part));
    await isRemoved(agent);
  });

  test.each(['HEAD', 'index', 'commondir', 'gitdir'])(
    'when %s of the registration is garbage',
    async (part) => {
      const { agent, path } = await site.worktree();
      put(path, { 'new.txt': 'new\n' });
      writeFileSync(join(registration(), part), 'ref: ../../../garbage\0\xff');
      await isRemoved(agent);
      expect(Object.keys(site.restored())).toContain('new.txt');
    },
  );

  test.each(['HEAD', 'index', 'logs/HEAD', 'gitdir', 'ORIG_HEAD'])(
    'when %s of the registration is a pipe',
    async (part) => {
      const { agent, path } = await site.worktree();
      put(path, { 'new.txt': 'new\n' });
      rmSync(join(registration(), part), { force: true });
      execFileSync('mkfifo', [join(registration(), part)]);
      await isRemoved(agent);
      expect(Object.keys(site.restored())).toContain('new.txt');
    },
  );

  it('when its index is locked and cut short', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    writeFileSync(join(registration(), 'index.lock'), '');
    truncateSync(join(registration(), 'index'), 40);
    await isRemoved(agent);
    expect(Object.keys(site.restored()).sort()).toEqual(['a.txt', 'b/c.txt', 'new.txt']);
  });

  it.each([
    'worktrees/agent-1/index.lock',
    'worktrees/agent-1/HEAD.lock',
    'index.lock',
    'HEAD.lock',
    'config.lock',
    'packed-refs.lock',
    'shallow.lock',
  ])('when a git that was killed has left %s', async (lock) => {
    const { agent, path } = await site.worktree();
    put(path, { 'a.txt': 'changed\n', 'new.txt': 'new\n' });
    const before = contents(path);
    writeFileSync(join(site.gitDir, lock), '');
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.registered()).toEqual([]);
    expect(site.leftovers()).toEqual([]);
    expect(site.restored()).toEqual(before);
  });

  it('in the middle of a merge with conflicts', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'a.txt': 'theirs\n' });
    gitIn(path, 'commit', '-qam', 'theirs');
    const theirs = gitIn(path, 'rev-parse', 'HEAD').trim();
    gitIn(path, 'checkout', '-q', '--detach', 'main');
    put(path, { 'a.txt': 'ours\n' });
    gitIn(path, 'commit', '-qam', 'ours');
    expect(() => gitIn(path, 'merge', theirs)).toThrow();
    const before = contents(path);
    await isRemoved(agent);
    expect(site.restored()).toEqual(before);
    expect(site.git('log', '--format=%s', 'refs/killswitch/salvage/agent-1')).toContain('theirs');
  });

  it('when its repository has lost objects, and all its files are salvaged', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    const before = contents(path);
    const blob = site.git('rev-parse', 'HEAD:b/c.txt').trim();
    const object = join(site.gitDir, 'objects', blob.slice(0, 2), blob.slice(2));
    const elsewhere = join(site.folder, 'object');
    renameSync(object, elsewhere);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.restored()).toEqual(before);
    expect(site.git('log', '-1', '--format=%B', 'refs/killswitch/salvage/agent-1')).toContain(
      'could not be read',
    );
  });

  it('when it is on a branch, which stays', async () => {
    const { agent, path } = await site.worktree();
    gitIn(path, 'checkout', '-q', '-b', 'feature');
    put(path, { 'a.txt': 'committed\n' });
    gitIn(path, 'commit', '-qam', 'on a branch');
    await isRemoved(agent);
    expect(site.git('show', 'feature:a.txt')).toBe('committed\n');
    expect(site.hasSalvage()).toBe(false);
  });

  it('when a symbolic link stands in its place, and what it points to is not touched', async () => {
    const { agent, path } = await site.worktree();
    const precious = join(site.folder, 'precious');
    put(precious, { 'keep.txt': 'keep\n' });
    rmSync(path, { recursive: true });
    symlinkSync(precious, path);
    await isRemoved(agent);
    expect(contents(precious)).toEqual({ 'keep.txt': expect.any(String) });
  });

  it('when a file stands in its place', async () => {
    const { agent, path } = await site.worktree();
    rmSync(path, { recursive: true });
    writeFileSync(path, 'file');
    await isRemoved(agent);
  });

  it('with a repository of SHA-256', async () => {
    rmSync(site.repository, { recursive: true });
    mkdirSync(site.repository);
    site.git('init', '-q', '-b', 'main', '--object-format=sha256');
    put(site.repository, { 'a.txt': 'one\n' });
    site.git('add', '-A');
    site.git('commit', '-qm', 'first');
    const { agent, path } = await site.worktree();
    put(path, { 'a.txt': 'changed\n' });
    const before = contents(path);
    await isRemoved(agent);
    expect(site.restored()).toEqual(before);
  });

  it('with a bare repository', async () => {
    const bare = join(site.folder, 'bare.git');
    site.git('clone', '-q', '--bare', site.repository, bare);
    rmSync(site.repository, { recursive: true });
    renameSync(bare, site.repository);
    const options = { root: site.root, agentId: 'agent-1', repository: site.repository };
    const agent = agentOf('agent-1', [await worktreeResource(options)]);
    const { path } = await createWorktree({ root: site.root, agent });
    put(path, { 'new.txt': 'new\n' });
    const before = contents(path);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(existsSync(path)).toBe(false);
    expect(site.restored()).toEqual(before);
  });
});

it('leaves the worktrees of others as they are, prunable ones too', async () => {
  const { agent } = await site.worktree();
  const other = await site.worktree('agent-10');
  const users = join(site.folder, 'users');
  site.git('worktree', 'add', '-q', '--detach', users);
  const missing = join(site.folder, 'missing');
  site.git('worktree', 'add', '-q', '--detach', missing);
  rmSync(missing, { recursive: true });
  await site.remove(agent);
  expect(site.registered().sort()).toEqual([missing, users, other.path].sort());
  expect(lstatSync(other.path).isDirectory()).toBe(true);
});

it('keeps the worktree and says so when its repository is gone, and salvages it when that is back', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'new\n' });
  const away = join(site.folder, 'away');
  renameSync(site.repository, away);
  await site.remove(agent);
  expect(existsSync(path)).toBe(false);
  expect(site.problems).toMatchObject([{ code: 'salvage-failed' }]);
  expect(readdirSync(join(site.root, '.agent-killswitch/aside'))).toEqual(['agent-1']);
  renameSync(away, site.repository);
  await site.removal().sweep();
  expect(site.leftovers()).toEqual([]);
  expect(Object.keys(site.restored())).toContain('new.txt');
});

it('is removed by a killswitch, whose stop is settled before the files are gone', async () => {
  const runtime = memoryRuntime();
  const removal = site.removal();
  const ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
    cleanup: [removal],
  });
  await ks.start();
  const resource = await worktreeResource({
    root: site.root,
    agentId: 'agent-1',
    repository: site.repository,
  });
  const agent = await ks.admit({
    agentId: 'agent-1',
    taskId: 't',
    workspaceId: 'w',
    ownerId: 'mia',
    resources: [resource],
  });
  const { path } = await createWorktree({ root: site.root, agent });
  put(path, { 'new.txt': 'new\n' });
  await ks.running('agent-1', [runtime.spawn()]);
  const principal = { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'w' }] } as const;
  const report = await ks.kill({ task: 't' }, { principal, reason: 'test' });
  expect(report).toMatchObject({ settled: true, killed: 1 });
  expect(existsSync(path)).toBe(false);
  expect((await ks.agent('agent-1')).ledger).toEqual([{ step: 'worktree', status: 'done', tries: 1 }]);
  await removal.idle();
  expect(Object.keys(site.restored())).toContain('new.txt');
  await ks.close();
});
