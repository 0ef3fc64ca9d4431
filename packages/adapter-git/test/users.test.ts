import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { contents, put, Site } from './support/site.ts';

const nobody = 65_534;
const child = new URL('removing-child.ts', import.meta.url).pathname;
let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

describe.skipIf(process.getuid?.() !== 0)('with users of their own', () => {
  it('an unprivileged service removes, salvages and deletes what its agent closed off', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'closed/inner/x.txt': 'x', 'secret.txt': 'y', 'ignored/z': 'z', 'new.txt': 'new' });
    const before = contents(path);
    for (const name of ['closed/inner', 'closed', 'secret.txt']) chmodSync(join(path, name), 0);
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, site.folder]);
    const records = join(site.folder, 'agents.json');
    writeFileSync(records, JSON.stringify([agent]));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--conditions=agent-killswitch-source',
        '--disable-warning=ExperimentalWarning',
        child,
        site.root,
        records,
      ],
      { uid: nobody, gid: nobody, input: 'go\n', encoding: 'utf8' },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'ready\ndone\n', stderr: '' });
    execFileSync('chown', ['-R', '0:0', site.folder]);
    expect(site.leftovers()).toEqual([]);
    expect(site.restored()).toEqual(before);
  });

  it('a service that is root reads an agent’s tree with the rights of the agent', async () => {
    const { agent, path } = await site.worktree();
    const secret = join(site.folder, 'secret');
    writeFileSync(secret, 'of root only', { mode: 0o600 });
    put(path, { 'new.txt': 'new' });
    chmodSync(site.folder, 0o755);
    chmodSync(site.root, 0o711);
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, path, join(site.gitDir)]);
    // What somebody who is at work in the tree could put there in the middle of it.
    put(path, { 'roots.txt': 'of root only' });
    execFileSync('chown', ['0:0', join(path, 'roots.txt')]);
    chmodSync(join(path, 'roots.txt'), 0o600);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.salvages).toMatchObject([{ files: 1, leftOut: 1 }]);
    execFileSync('chown', ['-R', '0:0', site.gitDir]);
    expect(site.git('ls-tree', '--name-only', salvageRef('agent-1')).trim().split('\n')).toEqual([
      'a.txt',
      'b',
      'new.txt',
    ]);
  });
});
