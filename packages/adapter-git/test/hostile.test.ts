import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { salvageRef } from '../src/index.ts';
import { contents, gitIn, put, Site } from './support/site.ts';

let site: Site;
/** What code of the agent's would leave if it were run. */
let canary: string;
beforeEach(() => {
  site = new Site();
  canary = join(site.folder, 'canary');
});
afterEach(() => site.dispose());

/** A program of the agent's. */
function trap(name = 'trap.sh'): string {
  const path = join(site.folder, name);
  writeFileSync(path, `#!/bin/sh\necho "$0 $*" >> ${canary}\ncat\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Every key that makes git run something, in the configuration that the agent shares with its repository. */
function poison(): void {
  const program = trap();
  const hooks = join(site.folder, 'hooks');
  mkdirSync(hooks);
  const sample = [
    'post-checkout',
    'post-index-change',
    'pre-commit',
    'reference-transaction',
    'pre-auto-gc',
    'post-commit',
  ];
  for (const hook of sample) {
    for (const folder of [hooks, join(site.gitDir, 'hooks')]) {
      mkdirSync(folder, { recursive: true });
      symlinkSync(program, join(folder, hook));
    }
  }
  const settings = {
    'core.hooksPath': hooks,
    'core.fsmonitor': program,
    'core.editor': program,
    'core.pager': program,
    'core.sshCommand': program,
    'core.askPass': program,
    'core.alternateRefsCommand': program,
    'filter.trap.clean': program,
    'filter.trap.smudge': program,
    'filter.trap.process': program,
    'filter.trap.required': 'true',
    'diff.trap.textconv': program,
    'diff.trap.command': program,
    'diff.external': program,
    'merge.trap.driver': program,
    'gpg.program': program,
    'commit.gpgSign': 'true',
    'credential.helper': program,
    'uploadpack.packObjectsHook': program,
    'extensions.partialClone': 'origin',
    'remote.origin.promisor': 'true',
    'remote.origin.url': `ext::${program}`,
    'remote.origin.uploadpack': program,
    'protocol.allow': 'always',
    'protocol.ext.allow': 'always',
  };
  for (const [key, value] of Object.entries(settings)) site.git('config', key, value);
  put(site.folder, { included: `[filter "trap"]\n\tclean = ${program}\n` });
  site.git('config', 'include.path', join(site.folder, 'included'));
}

async function poisoned(): Promise<{ agent: Agent; path: string }> {
  const { agent, path } = await site.worktree();
  poison();
  put(path, {
    '.gitattributes': '* filter=trap diff=trap merge=trap\n',
    'a.txt': 'changed\n',
    'new.txt': 'new\n',
  });
  return { agent, path };
}

describe('no code of the agent is run', () => {
  it('by the removal, where git itself would run it', async () => {
    const { agent, path } = await poisoned();
    spawnSync('git', ['status'], { cwd: path });
    spawnSync('git', ['add', '-A'], { cwd: path });
    expect(readFileSync(canary, 'utf8')).toContain('trap.sh');
    rmSync(canary);
    const before = contents(path);
    await site.remove(agent);
    expect(existsSync(canary)).toBe(false);
    expect(site.problems).toEqual([]);
    rmSync(join(site.gitDir, 'config'));
    rmSync(join(site.gitDir, 'hooks'), { recursive: true });
    expect(site.restored()).toEqual(before);
  });

  it('by the making of the next worktree', async () => {
    await poisoned();
    site.git(
      '-c',
      'filter.trap.clean=',
      '-c',
      'filter.trap.process=',
      '-c',
      'filter.trap.required=false',
      '-c',
      'core.hooksPath=/dev/null',
      '-c',
      'core.fsmonitor=false',
      '-c',
      'commit.gpgSign=false',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    );
    rmSync(canary, { force: true });
    const { path } = await site.worktree('agent-2');
    expect(existsSync(canary)).toBe(false);
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('one\n');
  });

  it('to fetch objects that its repository pretends to have left out', async () => {
    const { agent } = await poisoned();
    const blob = site.git('rev-parse', 'HEAD:b/c.txt').trim();
    rmSync(join(site.gitDir, 'objects', blob.slice(0, 2), blob.slice(2)));
    rmSync(canary, { force: true });
    await site.remove(agent);
    expect(existsSync(canary)).toBe(false);
    await site.worktree('agent-2').catch(() => undefined);
    expect(existsSync(canary)).toBe(false);
  });

  it('by a nested repository with a configuration of its own', async () => {
    const { agent, path } = await site.worktree();
    const nested = join(path, 'nested');
    mkdirSync(nested);
    gitIn(nested, 'init', '-q');
    gitIn(nested, 'config', 'core.fsmonitor', trap());
    gitIn(nested, 'config', 'core.worktree', site.repository);
    put(nested, { x: 'x' });
    await site.remove(agent);
    expect(existsSync(canary)).toBe(false);
    expect(site.git('show', `${salvageRef('agent-1')}:nested/x`)).toBe('x');
  });
});

describe('nothing outside is touched', () => {
  /** A repository and a folder that are none of the agent's business. */
  function bystanders(): { other: string; unchanged: () => void } {
    const other = join(site.folder, 'other');
    mkdirSync(other);
    gitIn(other, 'init', '-q', '-b', 'main');
    put(other, { 'keep.txt': 'keep\n' });
    gitIn(other, 'add', '-A');
    gitIn(other, 'commit', '-qm', 'keep');
    gitIn(other, 'worktree', 'add', '-q', '--detach', join(site.folder, 'other-worktree'));
    const seen = () => [
      contents(other),
      contents(join(other, '.git')),
      contents(join(site.folder, 'other-worktree')),
    ];
    const before = seen();
    return { other, unchanged: () => expect(seen()).toEqual(before) };
  }

  test.each(['gitdir: OTHER', 'gitdir: OTHER/worktrees/other-worktree'])(
    'by a .git file that says %s',
    async (text) => {
      const { agent, path } = await site.worktree();
      const { other, unchanged } = bystanders();
      writeFileSync(join(path, '.git'), text.replace('OTHER', join(other, '.git')));
      put(path, { 'new.txt': 'new\n' });
      await site.remove(agent);
      unchanged();
      expect(site.hasSalvage()).toBe(true);
    },
  );

  it('by a registration whose common folder is forged', async () => {
    const { agent, path } = await site.worktree();
    const { other, unchanged } = bystanders();
    put(path, { 'new.txt': 'new\n' });
    writeFileSync(join(site.gitDir, 'worktrees/agent-1/commondir'), `${join(other, '.git')}\n`);
    await site.remove(agent);
    unchanged();
    expect(site.hasSalvage()).toBe(true);
  });

  it('by a registration that is pointed to another worktree, which is said', async () => {
    const { agent, path } = await site.worktree();
    const { unchanged } = bystanders();
    put(path, { 'new.txt': 'new\n' });
    writeFileSync(join(site.gitDir, 'worktrees/agent-1/gitdir'), join(site.folder, 'other-worktree/.git\n'));
    await expect(site.remove(agent)).rejects.toMatchObject({ code: 'not-our-worktree' });
    unchanged();
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    ['refs/killswitch', 'refs/heads'],
    ['refs/killswitch/salvage', 'refs/heads'],
    ['agent-killswitch', ''],
    ['objects/pack', 'objects/pack'],
    ['objects', 'objects'],
    ['refs', 'refs'],
    ['worktrees', 'worktrees'],
    ['worktrees/agent-1', 'worktrees/other-worktree'],
    ['HEAD', 'HEAD'],
    ['config', 'config'],
  ])('by a symbolic link in place of %s', async (part, target) => {
    const { agent, path } = await site.worktree();
    const { other, unchanged } = bystanders();
    put(path, { 'new.txt': 'new\n' });
    rmSync(join(site.gitDir, part), { recursive: true, force: true });
    mkdirSync(join(site.gitDir, part, '..'), { recursive: true });
    symlinkSync(join(other, '.git', target), join(site.gitDir, part));
    await site.remove(agent).catch(() => undefined);
    unchanged();
    expect(existsSync(path)).toBe(false);
    // What could not be salvaged is still there.
    const kept = join(site.root, '.agent-killswitch/aside/agent-1/tree/new.txt');
    expect(site.salvages.length === 1 || readFileSync(kept, 'utf8') === 'new\n').toBe(true);
  });

  it('by object folders that lead elsewhere', async () => {
    const { agent, path } = await site.worktree();
    const { unchanged } = bystanders();
    const elsewhere = join(site.folder, 'elsewhere');
    mkdirSync(elsewhere);
    for (let i = 0; i < 256; i++) {
      const name = i.toString(16).padStart(2, '0');
      if (!existsSync(join(site.gitDir, 'objects', name)))
        symlinkSync(elsewhere, join(site.gitDir, 'objects', name));
    }
    put(path, Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, `${i}`])));
    await site.remove(agent);
    unchanged();
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(site.hasSalvage()).toBe(true);
  });

  it('by a repository that has become a symbolic link', async () => {
    const { agent, path } = await site.worktree();
    const { other, unchanged } = bystanders();
    put(path, { 'new.txt': 'new\n' });
    rmSync(site.gitDir, { recursive: true });
    symlinkSync(join(other, '.git'), site.gitDir);
    await expect(site.remove(agent)).rejects.toMatchObject({ code: 'repository-refused' });
    unchanged();
    expect(readFileSync(join(site.root, '.agent-killswitch/aside/agent-1/tree/new.txt'), 'utf8')).toBe(
      'new\n',
    );
  });

  it('by symbolic links in the worktree, to folders too', async () => {
    const { agent, path } = await site.worktree();
    const { other, unchanged } = bystanders();
    for (const [i, target] of [other, '/', '..', '/proc/self', 'loop'].entries())
      symlinkSync(target, join(path, `link${i}`));
    symlinkSync('loop', join(path, 'loop'));
    rmSync(join(path, 'b'), { recursive: true });
    symlinkSync(other, join(path, 'b'));
    await site.remove(agent);
    unchanged();
    expect(site.problems).toEqual([]);
    expect(site.leftovers()).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)('by a mount in the worktree, which is said', async () => {
    const { agent, path } = await site.worktree();
    const { other, unchanged } = bystanders();
    mkdirSync(join(path, 'mounted'));
    execFileSync('mount', ['--bind', other, join(path, 'mounted')]);
    const house = join(site.root, '.agent-killswitch');
    try {
      await site.remove(agent, { salvage: false });
      unchanged();
      expect(site.problems).toMatchObject([{ code: 'deletion-failed' }]);
    } finally {
      for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
        const place = line.split(' ')[1];
        if (place?.startsWith(site.folder)) execFileSync('umount', [place]);
      }
    }
    await site.removal({ salvage: false }).sweep();
    expect(readdirSync(join(house, 'trash'))).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'when the worktree itself is a mount point, which is said',
    async () => {
      const { agent, path } = await site.worktree();
      const { other, unchanged } = bystanders();
      execFileSync('mount', ['--bind', other, path]);
      try {
        await expect(site.remove(agent)).rejects.toMatchObject({ code: 'worktree-stuck' });
        unchanged();
      } finally {
        execFileSync('umount', [path]);
      }
      await site.remove(agent);
      expect(existsSync(path)).toBe(false);
    },
  );

  it.skipIf(process.getuid?.() !== 0)('when the worktree cannot be moved, which is said', async () => {
    const { agent, path } = await site.worktree();
    execFileSync('chattr', ['+i', path]);
    await expect(site.remove(agent)).rejects.toMatchObject({ code: 'worktree-stuck' });
    execFileSync('chattr', ['-i', path]);
    await site.remove(agent);
    expect(existsSync(path)).toBe(false);
  });
});

describe('a tree that is hard to delete is deleted', () => {
  it('however deep', async () => {
    const { agent, path } = await site.worktree();
    const script =
      'import os, sys\nos.chdir(sys.argv[1])\nfor i in range(3000):\n os.mkdir("deep-folder"); os.chdir("deep-folder")\nopen("bottom", "w").close()\n';
    execFileSync('python3', ['-c', script, path]);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.leftovers()).toEqual([]);
  }, 60_000);

  it('with pipes, sockets, and names that are no text', async () => {
    const { agent, path } = await site.worktree();
    execFileSync('mkfifo', [join(path, 'pipe'), join(path, 'b/pipe')]);
    rmSync(join(path, 'a.txt'));
    execFileSync('mkfifo', [join(path, 'a.txt')]);
    for (let byte = 1; byte < 256; byte++) {
      if (byte !== 0x2f && byte !== 0x2e)
        writeFileSync(Buffer.concat([Buffer.from(`${path}/n`), Buffer.from([byte])]), 'x');
    }
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.leftovers()).toEqual([]);
    expect(site.salvages).toMatchObject([{ files: 253 }]);
  });

  it('by an owner who took their own rights away', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'x/y/z': 'z' });
    chmodSync(join(path, 'x/y'), 0);
    chmodSync(join(path, 'x'), 0o111);
    chmodSync(path, 0o500);
    await site.remove(agent);
    expect(site.problems).toEqual([]);
    expect(site.leftovers()).toEqual([]);
  });
});

it('is not held up by registrations without number', async () => {
  const { agent, path } = await site.worktree();
  for (let i = 0; i < 10_000; i++)
    put(join(site.gitDir, 'worktrees', `x${i}`), { gitdir: '/nonexistent/.git\n' });
  const since = performance.now();
  await site.removal().run(agent, { signal: new AbortController().signal });
  expect(performance.now() - since).toBeLessThan(1_000);
  expect(existsSync(path)).toBe(false);
});

describe('an index with names that git takes from nobody', () => {
  test.each(['.git/hooks/post-checkout', '../../outside', '/etc/passwd', 'a/../../x', 'a//b'])(
    'such as %j makes no salvage that cannot be checked out',
    async (name) => {
      const { agent, path } = await site.worktree();
      put(path, { 'new.txt': 'new\n' });
      const before = contents(path);
      const blob = site.git('rev-parse', 'HEAD:a.txt').trim();
      writeFileSync(join(site.gitDir, 'worktrees/agent-1/index'), indexOf(name, blob));
      await site.remove(agent);
      expect(site.problems).toEqual([]);
      expect(site.restored()).toEqual(before);
      expect(site.git('log', '--format=%s', `${salvageRef('agent-1')}^@`)).not.toContain('Staged');
      expect(site.salvages).toMatchObject([{ unkept: [expect.stringContaining('index')] }]);
    },
  );
});

/** An index of version 2 with one entry. */
function indexOf(name: string, blob: string): Buffer {
  const header = Buffer.alloc(12);
  header.write('DIRC');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(1, 8);
  const stat = Buffer.alloc(40);
  stat.writeUInt32BE(0o100644, 24);
  const flags = Buffer.alloc(2);
  flags.writeUInt16BE(name.length);
  const entry = Buffer.concat([stat, Buffer.from(blob, 'hex'), flags, Buffer.from(name)]);
  const padded = Buffer.concat([entry, Buffer.alloc(8 - (entry.length % 8))]);
  const body = Buffer.concat([header, padded]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

describe('what hangs git', () => {
  it('is ended at the deadline, and the files are kept all the same', async () => {
    const { agent, path } = await site.worktree();
    put(path, { 'new.txt': 'new\n' });
    execFileSync('mkfifo', [join(site.gitDir, 'refs/heads/pipe')]);
    const before = contents(path);
    await site.remove(agent, { gitDeadlineMs: 1_000 });
    expect(site.problems).toEqual([]);
    rmSync(join(site.gitDir, 'refs/heads/pipe'));
    expect(site.restored()).toEqual(before);
  });

  it('as patterns that take for ever leaves the worktree aside, and is said', async () => {
    const { agent, path } = await site.worktree();
    const name = 'a'.repeat(120);
    put(path, { '.gitignore': `${'*a'.repeat(40)}*b\n`, [name]: 'x' });
    await site.remove(agent, { gitDeadlineMs: 1_000 });
    // A git that is quick at it salvages instead.
    const kept = join(site.root, '.agent-killswitch/aside/agent-1/tree', name);
    expect(site.hasSalvage() || (existsSync(kept) && site.problems.length === 1)).toBe(true);
  });
});

it('is not fooled by replaced objects and grafts', async () => {
  const { agent, path } = await site.worktree();
  const { head, fake } = {
    head: site.git('rev-parse', 'HEAD').trim(),
    fake: site.git('commit-tree', '-m', 'fake', 'HEAD^{tree}').trim(),
  };
  site.git('update-ref', `refs/replace/${head}`, fake);
  put(path, { 'new.txt': 'new\n' });
  await site.remove(agent);
  site.git('update-ref', '-d', `refs/replace/${head}`);
  expect(site.git('rev-parse', `${salvageRef('agent-1')}^1`).trim()).toBe(head);
});

it('leaves a worktree alone that the agent has moved away, and says so', async () => {
  const { agent, path } = await site.worktree();
  const away = join(site.folder, 'away');
  gitIn(site.repository, 'worktree', 'move', path, away);
  await expect(site.remove(agent)).rejects.toMatchObject({ code: 'worktree-moved' });
  expect(existsSync(join(away, 'a.txt'))).toBe(true);
  renameSync(away, path);
});
