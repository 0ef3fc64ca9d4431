import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { createWorktree, worktreeRemoval, worktreeResource } from '../src/index.ts';
import { agentOf, contents, never, put, Site } from './support/site.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

describe('a path that is not surely ours is not touched, and that is said', () => {
  const forged: Array<[string, (ours: Resource, site: Site) => Resource[]]> = [
    ['outside the root', (ours, { folder }) => [{ ...ours, path: join(folder, 'precious') }]],
    ['the root itself', (ours, { root }) => [{ ...ours, path: root }]],
    ['out of the root by ..', (ours, { root }) => [{ ...ours, path: `${root}/../precious` }]],
    ['out and in again by ..', (ours, { root }) => [{ ...ours, path: `${root}/x/../agent-1` }]],
    ['with a slash at its end', (ours) => [{ ...ours, path: `${ours.path}/` }]],
    ['with NUL', (ours) => [{ ...ours, path: `${ours.path}\0` }]],
    ['with a line feed', (ours) => [{ ...ours, path: `${ours.path}\n` }]],
    ['relative', (ours) => [{ ...ours, path: 'agent-1' }]],
    ['empty', (ours) => [{ ...ours, path: '' }]],
    ['a number', (ours) => [{ ...ours, path: 7 }]],
    ['missing', (ours) => [{ kind: ours.kind }]],
    ["another agent's", (ours, { root }) => [{ ...ours, path: join(root, 'agent-2') }]],
    ["the killswitch's own", (ours, { root }) => [{ ...ours, path: join(root, '.agent-killswitch') }]],
    ['named twice', (ours) => [ours, ours]],
    ['of a repository that is relative', (ours) => [{ ...ours, gitDir: 'repository/.git' }]],
    ['of a repository with ..', (ours) => [{ ...ours, gitDir: `${ours.gitDir}/../.git` }]],
    ['of a repository with NUL', (ours) => [{ ...ours, gitDir: `${ours.gitDir}\0` }]],
  ];

  test.each(forged)('%s', async (_, forge) => {
    const { agent } = await site.worktree();
    await site.worktree('agent-2');
    put(join(site.folder, 'precious'), { 'keep.txt': 'keep' });
    const before = contents(site.folder);
    const resources = forge(agent.resources[0] as Resource, site);
    await expect(site.remove(agentOf('agent-1', resources))).rejects.toMatchObject({
      code: 'not-our-worktree',
    });
    await expect(
      createWorktree({ root: site.root, agent: agentOf('agent-1', resources) }),
    ).rejects.toMatchObject({
      code: 'not-our-worktree',
    });
    expect(contents(site.folder)).toEqual(before);
  });

  test.each(['.agent-killswitch', '..', '.', 'a/b', 'a\0b', ''])(
    'of an agent whose id is %j',
    async (agentId) => {
      const { agent } = await site.worktree();
      const before = contents(site.folder);
      const resource = { ...(agent.resources[0] as Resource), path: `${site.root}/${agentId}` };
      await expect(site.remove(agentOf(agentId, [resource]))).rejects.toMatchObject({
        code: 'not-our-worktree',
      });
      expect(contents(site.folder)).toEqual(before);
    },
  );
});

describe('the root', () => {
  const refused = { code: 'root-refused' };

  test.each(['', '/', 'relative', '/a\0b', '//', '/tmp/..', 7])('is refused when it is %j', (root) => {
    expect(() => worktreeRemoval({ root: root as string })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/root-refused|invalid-configuration/) }),
    );
  });

  it('is refused when it holds other things, which stay', async () => {
    put(site.root, { 'home/keep.txt': 'keep', 'agent-1/keep.txt': 'keep' });
    const options = { root: site.root, agentId: 'agent-1', repository: site.repository };
    await expect(worktreeResource(options)).rejects.toMatchObject(refused);
    const resource = { kind: 'worktree', path: join(site.root, 'agent-1'), gitDir: site.gitDir };
    await expect(site.remove(agentOf('agent-1', [resource]))).rejects.toMatchObject(refused);
    expect(Object.keys(contents(site.root)).sort()).toEqual(['agent-1/keep.txt', 'home/keep.txt']);
  });

  it('is refused when it is a file', async () => {
    writeFileSync(site.root, '');
    const options = { root: site.root, agentId: 'agent-1', repository: site.repository };
    await expect(worktreeResource(options)).rejects.toMatchObject(refused);
  });

  it('is refused when its own folder is a symbolic link', async () => {
    mkdirSync(site.root);
    mkdirSync(join(site.folder, 'elsewhere'));
    symlinkSync(join(site.folder, 'elsewhere'), join(site.root, '.agent-killswitch'));
    const options = { root: site.root, agentId: 'agent-1', repository: site.repository };
    await expect(worktreeResource(options)).rejects.toMatchObject(refused);
    expect(readdirSync(join(site.folder, 'elsewhere'))).toEqual([]);
  });

  it('may be reached through a symbolic link', async () => {
    const real = join(site.folder, 'real');
    mkdirSync(real);
    symlinkSync(real, site.root);
    const { agent, path } = await site.worktree();
    expect(path).toBe(join(real, 'agent-1'));
    await site.remove(agent);
    expect(existsSync(path)).toBe(false);
    expect(site.problems).toEqual([]);
  });
});

describe('a repository', () => {
  const resource = (repository: string, repositoriesRoot?: string) =>
    worktreeResource({
      root: site.root,
      agentId: 'agent-1',
      repository,
      ...(repositoriesRoot === undefined ? {} : { repositoriesRoot }),
    });
  const refused = { code: 'repository-refused' };

  it('is refused when it is none', async () => {
    mkdirSync(join(site.folder, 'empty'));
    for (const path of [join(site.folder, 'empty'), join(site.folder, 'missing'), 'relative', '/a\0b', ''])
      await expect(resource(path)).rejects.toMatchObject(refused);
  });

  it('is refused when it is a worktree, whose .git file could say anything', async () => {
    const { path } = await site.worktree('agent-2');
    await expect(resource(path)).rejects.toMatchObject(refused);
  });

  it('is refused when it does not lie below its root', async () => {
    const repositories = join(site.folder, 'repositories');
    mkdirSync(repositories);
    symlinkSync(site.repository, join(repositories, 'link'));
    for (const path of [site.repository, join(repositories, 'link'), `${repositories}/../repository`])
      await expect(resource(path, repositories)).rejects.toMatchObject(refused);
    await expect(resource(site.repository, site.folder)).resolves.toMatchObject({ gitDir: site.gitDir });
  });
});

describe('making a worktree', () => {
  it('needs an agent that was admitted with it', async () => {
    await expect(createWorktree({ root: site.root, agent: agentOf('agent-1', []) })).rejects.toMatchObject({
      code: 'not-our-worktree',
    });
  });

  it('does not take a place that is taken', async () => {
    const { agent } = await site.worktree();
    await expect(createWorktree({ root: site.root, agent })).rejects.toMatchObject({
      code: 'not-our-worktree',
    });
  });

  test.each(['-b', '--help', 'a b', 'x..y', 'a\nb', '', '/etc', 'nowhere'])(
    'refuses to start at %j',
    async (start) => {
      const options = { root: site.root, agentId: 'agent-1', repository: site.repository };
      const agent = agentOf('agent-1', [await worktreeResource(options)]);
      await expect(createWorktree({ root: site.root, agent, start })).rejects.toMatchObject({
        code: expect.stringMatching(/invalid-input|worktree-failed/),
      });
      expect(site.registered()).toEqual([]);
    },
  );

  it('starts where it is told', async () => {
    site.git('tag', 'v1');
    put(site.repository, { 'a.txt': 'later\n' });
    site.git('commit', '-qam', 'later');
    const options = { root: site.root, agentId: 'agent-1', repository: site.repository };
    const agent = agentOf('agent-1', [await worktreeResource(options)]);
    const { path, commit } = await createWorktree({ root: site.root, agent, start: 'v1' });
    expect(commit).toBe(site.git('rev-parse', 'v1').trim());
    expect(contents(path)).toEqual(site.restored('', 'v1'));
  });

  it('is undone by the removal wherever it is cut off', async () => {
    const cutOff: number[] = [];
    for (const ms of [1, 5, 10, 20, 40, 80]) {
      const agentId = `agent-${ms}`;
      const options = { root: site.root, agentId, repository: site.repository };
      const agent = agentOf(agentId, [await worktreeResource(options)]);
      const signal = AbortSignal.timeout(ms);
      await createWorktree({ root: site.root, agent, signal }).catch(() => cutOff.push(ms));
      await site.remove(agent);
      expect(site.registered()).toEqual([]);
    }
    expect(cutOff).toContain(1);
    expect(site.problems).toEqual([]);
  });
});

it('says what makes no sense among its options', () => {
  const bad = [
    {},
    { root: 1 },
    { root: '/x', salvage: true },
    { root: '/x', gitDeadlineMs: 0 },
    { root: '/x', name: 'a b' },
    { root: '/x', y: 1 },
  ];
  for (const options of bad)
    expect(() => worktreeRemoval(options as never)).toThrow(
      expect.objectContaining({ code: 'invalid-configuration' }),
    );
});

it('says so when an agent without a worktree is given', async () => {
  const removal = site.removal();
  expect(removal.appliesTo(agentOf('agent-1', [{ kind: 'workdir' }]))).toBe(false);
  await expect(removal.run(agentOf('agent-1', []), { signal: never })).rejects.toMatchObject({
    code: 'not-our-worktree',
  });
});
