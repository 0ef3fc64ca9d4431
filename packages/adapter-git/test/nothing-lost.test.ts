import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
