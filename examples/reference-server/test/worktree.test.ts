import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Life, main, Site, tokens } from './support/reference-server.ts';

let site: Site;
let server: Life;
let repositories: string;
let repository: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
    cwd: repository,
    encoding: 'utf8',
  });

beforeAll(async () => {
  site = new Site();
  repositories = join(site.folder, 'repositories');
  repository = join(repositories, 'site');
  mkdirSync(repository, { recursive: true });
  git('init', '-q', '-b', 'main');
  writeFileSync(join(repository, 'a.txt'), 'one\n');
  git('add', '-A');
  git('commit', '-qm', 'first');
  server = await site.boot(main, [], { REPOSITORIES_ROOT: repositories });
});
afterAll(() => site.dispose());

const worktree = (agentId: string): string => join(site.stateDir, 'worktrees', agentId);

it('gives an agent a worktree of the repository that its context names, and removes it after the kill', async () => {
  const agentId = await server.spawn(tokens.mia, 't1', 'stubborn', { context: { repository } });
  expect(git('worktree', 'list')).toContain(worktree(agentId));
  writeFileSync(join(worktree(agentId), 'new.txt'), 'work\n');
  const { body } = await server.call('POST', '/api/orchestrator/tasks/t1/kill', tokens.mia, {
    reason: 'test',
  });
  expect(body).toMatchObject({ settled: true, killed: 1 });
  expect(existsSync(worktree(agentId))).toBe(false);
  expect(git('worktree', 'list')).not.toContain(agentId);
  // The server may end first: its next start goes on.
  await server.terminate();
  server = await site.boot(main, [], { REPOSITORIES_ROOT: repositories });
  const ref = `refs/killswitch/salvage/${agentId}`;
  const limit = performance.now() + 30_000;
  while (git('for-each-ref', ref) === '' && performance.now() < limit)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(git('show', `${ref}:new.txt`)).toBe('work\n');
});

it('refuses a repository that is none or lies elsewhere, and starts nothing', async () => {
  symlinkSync(site.folder, join(repositories, 'link'));
  const elsewhere = [
    site.stateDir,
    join(repositories, 'link'),
    `${repository}/../..`,
    'site',
    join(repositories, 'x'),
  ];
  for (const path of elsewhere) {
    const { status, body } = await server.call('POST', '/agents/spawn', tokens.mia, {
      taskId: 't2',
      agentType: 'worker',
      workspaceId: 'demo',
      context: { repository: path },
    });
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid-input' });
  }
});

it('ends an agent that cannot start where it is told', async () => {
  const { status } = await server.call('POST', '/agents/spawn', tokens.mia, {
    taskId: 't3',
    agentType: 'worker',
    workspaceId: 'demo',
    context: { repository, start: 'no-such-branch' },
  });
  expect(status).toBe(500);
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
});
