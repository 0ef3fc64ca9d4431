import { existsSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contents, gitIn, put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

describe('a worktree that was renamed', () => {
  it.each(['elsewhere', 'deep/er/elsewhere', 'agent-2/elsewhere'])(
    'to %s in the root is found, salvaged and deleted',
    async (place) => {
      const { agent, path } = await site.worktree();
      const other = await site.worktree('agent-2');
      put(path, { 'new.txt': 'new\n' });
      const before = contents(path);
      mkdirSync(join(site.root, place, '..'), { recursive: true });
      renameSync(path, join(site.root, place));
      await site.remove(agent);
      expect(site.problems).toEqual([]);
      expect(existsSync(join(site.root, place))).toBe(false);
      expect(site.registered()).toEqual([other.path]);
      expect(site.restored()).toEqual(before);
      expect(existsSync(join(other.path, 'a.txt'))).toBe(true);
    },
  );

  it('in the root by git is found with its registration', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    site.git('worktree', 'move', path, join(site.root, 'elsewhere'));
    await site.remove(agent);
    expect(site.registered()).toEqual([]);
    expect(site.leftovers()).toEqual([]);
    expect(Object.keys(site.restored())).toContain('new.txt');
  });

  it('in the root without its .git file is found', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    unlinkSync(join(path, '.git'));
    renameSync(path, join(site.root, 'elsewhere'));
    await site.remove(agent);
    expect(site.leftovers()).toEqual([]);
    expect(Object.keys(site.restored())).toContain('new.txt');
  });

  it('out of the root is not touched, which is said each time, until it is back', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    const away = join(site.folder, 'away');
    renameSync(path, away);
    const before = contents(away);
    for (let i = 0; i < 2; i++) {
      await expect(site.remove(agent)).rejects.toMatchObject({
        code: 'worktree-moved',
        message: expect.stringContaining('agent-1'),
      });
    }
    expect(contents(away)).toEqual(before);
    expect(site.registered()).toEqual([path]);
    renameSync(away, path);
    await site.remove(agent);
    expect(site.leftovers()).toEqual([]);
    expect(site.restored()).toEqual(before);
  });

  it('out of the root is done when somebody has deleted it there', async () => {
    const { agent, path } = await site.worktree();
    const away = join(site.folder, 'away');
    renameSync(path, away);
    await expect(site.remove(agent)).rejects.toMatchObject({ code: 'worktree-moved' });
    rmSync(away, { recursive: true });
    await site.remove(agent);
    expect(site.leftovers()).toEqual([]);
    expect(site.registered()).toEqual([]);
  });

  it('out of the root is said also when a symbolic link to it stands in its place', async () => {
    const { agent, path } = await site.worktree();
    const away = join(site.folder, 'away');
    renameSync(path, away);
    symlinkSync(away, path);
    await expect(site.remove(agent)).rejects.toMatchObject({ code: 'worktree-moved' });
    expect(existsSync(join(away, 'a.txt'))).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it('is salvaged together with a folder that was put in its place', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'first\n' });
    renameSync(path, join(site.root, 'elsewhere'));
    put(path, { 'new.txt': 'second\n' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.leftovers()).toEqual([]);
    const kept = site.salvages.map(({ ref }) => site.git('show', `${ref}:new.txt`));
    expect(kept.sort()).toEqual(['first\n', 'second\n']);
  });

  it('is never taken for another agent’s, whatever its .git file is linked to', async () => {
    const { agent, path } = await site.worktree();
    const other = await site.worktree('agent-2');
    unlinkSync(join(other.path, '.git'));
    linkSync(join(path, '.git'), join(other.path, '.git'));
    rmSync(path, { recursive: true });
    await expect(site.remove(agent)).rejects.toMatchObject({ code: 'worktree-moved' });
    expect(existsSync(join(other.path, 'a.txt'))).toBe(true);
  });
});

it('a worktree whose folder was made anew is removed as any other', async () => {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'new\n' });
  const copy = join(site.folder, 'copy');
  gitIn(site.folder, 'clone', '-q', '--no-hardlinks', site.repository, copy);
  put(copy, { 'new.txt': 'new\n' });
  rmSync(path, { recursive: true });
  renameSync(copy, path);
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  expect(site.leftovers()).toEqual([]);
});
