import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

const message = () => site.git('show', '-s', '--format=%B', salvageRef('agent-1'));
const kept = (path: string) => site.git('show', `${salvageRef('agent-1')}:${path}`);

describe('what git takes from nobody is kept under another name, and named', () => {
  it.each([
    '.GIT',
    '.gIt ',
    '.git. .',
    '.git::$INDEX_ALLOCATION',
    'git~1',
    'GIT~1.',
    'a\\.git',
    '.g\u200cit',
    `.g${'\u200c'.repeat(80)}it`,
  ])('a file %j', async (name) => {
    const { agent, path } = await site.worktree();
    put(path, { [name]: 'top', [`sub/${name}`]: 'below', [`folder/${name}/work/x`]: 'in it' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.salvages).toMatchObject([{ files: 3, renamed: 3, leftOut: 0 }]);
    const files = Object.keys(site.restored());
    const texts = files
      .filter((file) => !['a.txt', 'b/c.txt'].includes(file))
      .map((file) => kept(decoded(file)));
    expect(texts.sort()).toEqual(['below', 'in it', 'top']);
    expect(message()).toContain('Under another name');
    expect(message()).not.toContain('Left out');
    expect(site.leftovers()).toEqual([]);
  });

  it('a link .gitmodules, also under a short name', async () => {
    const { agent, path } = await site.worktree();
    for (const name of ['.gitmodules', 'gitmod~1', 'GI7EBA~1']) symlinkSync('x', join(path, name));
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.salvages).toMatchObject([{ files: 3, renamed: 3, leftOut: 0 }]);
    expect(kept('.gitmodules-salvaged')).toBe('x');
  });

  it.each(['sub/.git/work', 'sub/.git/deep/.git/work', 'sub/.git'])('%s, no repository', async (name) => {
    const { agent, path } = await site.worktree();
    put(path, { [name]: 'work' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(kept(name.replaceAll('.git', '.git-salvaged'))).toBe('work');
  });

  it('a folder in place of its own .git, with files in it', async () => {
    const { agent, path } = await site.worktree();
    rmSync(join(path, '.git'));
    put(path, { '.git/HEAD': 'work', '.git/x/y': 'z' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(kept('.git-salvaged/HEAD')).toBe('work');
    expect(kept('.git-salvaged/x/y')).toBe('z');
  });

  it.each(['a note\n', 'x'.repeat(100_000), 'gitdir: x\nand a note\n'])(
    'a text in its own .git file that is not git’s: %j',
    async (text) => {
      const { agent, path } = await site.worktree();
      writeFileSync(join(path, '.git'), text);
      await site.remove(agent);
      expect(kept('.git-salvaged')).toBe(text);
    },
  );

  it('and never over something that has that name already', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'sub/.git': 'one', 'sub/.git-salvaged': 'two', 'sub/.git-salvaged-2': 'three' });
    mkdirSync(join(path, 'sub/.GIT'));
    put(path, { 'sub/.GIT/x': 'four', 'sub/.GIT-salvaged': 'five' });
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(kept('sub/.git-salvaged')).toBe('two');
    expect(kept('sub/.git-salvaged-2')).toBe('three');
    expect(kept('sub/.git-salvaged-3')).toBe('one');
    expect(kept('sub/.GIT-salvaged')).toBe('five');
    expect(kept('sub/.GIT-salvaged-2/x')).toBe('four');
  });

  it('but not what is ignored', async () => {
    const { agent, path } = await site.worktree();
    put(path, { '.gitignore': 'cache/\n', 'cache/.git/x': 'x', 'cache/.GIT': 'y' });
    await site.remove(agent);
    expect(Object.keys(site.restored()).sort()).toEqual(['.gitignore', 'a.txt', 'b/c.txt']);
  });
});

it('what is left out is named with the reason, also when nothing else is there', async () => {
  const { agent, path } = await site.worktree();
  put(path, { large: 'x'.repeat(2_000) });
  await site.remove(agent, { salvage: { maxBytes: 1_000 } });
  expect(site.salvages).toMatchObject([{ files: 0, leftOut: 1 }]);
  expect(message()).toContain('"large"');
  expect(message()).toContain('Left out, over the limits, not readable or no file: 1');
});

/** `contents` gives names byte by byte. */
function decoded(name: string): string {
  return Buffer.from(name, 'latin1').toString();
}
