import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

/** The salvage is there for git as well, under the name that was told. */
async function isSalvaged(): Promise<string> {
  const { agent, path } = await site.worktree();
  put(path, { 'new.txt': 'new\n' });
  await site.remove(agent);
  expect(site.problems).toEqual([]);
  const [salvaged] = site.salvages;
  expect(site.git('show', `${salvaged?.ref}:new.txt`)).toBe('new\n');
  expect(site.git('for-each-ref', '--format=%(refname)').split('\n')).toContain(salvaged?.ref);
  site.git('pack-refs', '--all', '--prune');
  site.git('gc', '-q', '--prune=now');
  expect(site.git('show', `${salvaged?.ref}:new.txt`)).toBe('new\n');
  expect(site.git('rev-parse', `${salvaged?.ref}`).trim()).toBe(salvaged?.commit);
  expect(site.leftovers()).toEqual([]);
  return salvaged?.ref ?? '';
}

describe('a salvage gets another ref, which is told, when its own cannot be made since', () => {
  it.each(['refs/killswitch', 'refs/killswitch/salvage', `${salvageRef('agent-1')}/sub`])(
    '%s is a ref',
    async (ref) => {
      site.git('update-ref', ref, 'HEAD');
      expect(await isSalvaged()).not.toBe(salvageRef('agent-1'));
      expect(site.git('rev-parse', ref)).toBe(site.git('rev-parse', 'HEAD'));
    },
  );

  it.each(['refs/killswitch', 'refs/killswitch/salvage', `${salvageRef('agent-1')}/sub`])(
    '%s is a ref that is packed',
    async (ref) => {
      site.git('update-ref', ref, 'HEAD');
      site.git('pack-refs', '--all', '--prune');
      rmSync(join(site.gitDir, 'refs/killswitch'), { recursive: true, force: true });
      expect(await isSalvaged()).not.toBe(salvageRef('agent-1'));
    },
  );

  it('all names that can be foreseen are refs', async () => {
    for (const ref of ['refs/killswitch', 'refs/killswitch-salvage']) site.git('update-ref', ref, 'HEAD');
    await isSalvaged();
  });

  it('there is a symbolic link in place of its folder', async () => {
    const other = join(site.folder, 'other');
    mkdirSync(other);
    symlinkSync(other, join(site.gitDir, 'refs/killswitch'));
    await isSalvaged();
  });

  it('there is a pipe in place of its folder', async () => {
    execFileSync('mkfifo', [join(site.gitDir, 'refs/killswitch')]);
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    await site.remove(agent, { gitDeadlineMs: 1_000 });
    expect(site.problems).toEqual([]);
    rmSync(join(site.gitDir, 'refs/killswitch'));
    expect(site.git('show', `${site.salvages[0]?.ref}:new.txt`)).toBe('new\n');
  });
});
