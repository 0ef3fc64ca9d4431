import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Agent, describeError, InvalidInputError } from '@agent-killswitch/core';
import { deleteTree } from './delete-tree.ts';
import { NotOurWorktreeError, RepositoryRefusedError, WorktreeFailedError } from './errors.ts';
import { type GitCall, git } from './git.ts';
import { noteMade } from './made.ts';
import { findRegistration, registrationPath } from './registration.ts';
import { openRepository } from './repository.ts';
import { worktreeOf } from './resource.ts';
import { houseName, openRoot, parseRoot } from './root.ts';
import { makeView } from './view.ts';
import { withinFolders } from './within-folders.ts';

export interface CreateWorktreeOptions {
  /** Absolute. The same as the one given to `worktreeRemoval`. */
  readonly root: string;
  /** As `admit` returned it. Its resources name the worktree (see `worktreeResource`), so that whatever happens it is removed. */
  readonly agent: Agent;
  /** Where it starts: a commit, branch or tag. Default `HEAD`. The worktree is on no branch. */
  readonly start?: string;
  /** In milliseconds, for each of two calls of git. Default 60,000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export interface Worktree {
  readonly path: string;
  readonly commit: string;
}

/** What an earlier agent may have written into the repository is not to be run by the making of the next worktree. */
const disarmed = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'worktree.useRelativePaths': 'false',
};

/**
 * Makes an agent's worktree. Hooks, filters (git-lfs among them), fsmonitor and submodules of the repository do not run.
 * @throws NotOurWorktreeError if the agent was not admitted with this worktree, RepositoryRefusedError, RootRefusedError,
 * WorktreeFailedError, InvalidInputError
 */
export function createWorktree(options: CreateWorktreeOptions): Promise<Worktree> {
  const { agent, start = 'HEAD', deadlineMs = 60_000, signal = new AbortController().signal } = options;
  return withinFolders(async (keep) => {
    const root = await openRoot(parseRoot(options.root), keep);
    const { path, gitDir } = await worktreeOf(agent, root.path);
    if (!/^[A-Za-z0-9_@][\w@./^~{}+-]{0,200}$/.test(start))
      throw new InvalidInputError('start', ['must name a commit, branch or tag']);
    if ((await root.worktrees.stat(agent.agentId)) !== undefined)
      throw new NotOurWorktreeError(`${path} is there already`);
    const repository = await openRepository(gitDir, keep);
    const registrations = await repository.folder.stat('worktrees');
    if (registrations?.isDirectory() === false)
      throw new RepositoryRefusedError(`Repository ${gitDir}: its folder worktrees is none`);
    try {
      const commit = await register(gitDir, path, start, { deadlineMs, signal });
      await noteMade(root.made, root.worktrees, agent.agentId);
      const name = await findRegistration(repository, path, keep);
      if (name === undefined) throw new Error('git did not register it');
      await fill(path, join(registrationPath(gitDir, name), 'index'), commit);
      return { path, commit };
    } catch (thrown) {
      signal.throwIfAborted();
      throw new WorktreeFailedError(`No worktree ${path} of ${gitDir}: ${describeError(thrown)}`, {
        cause: thrown,
      });
    }

    /** Writes the files through a view, which knows no filter by name. */
    async function fill(tree: string, index: string, commit: string): Promise<void> {
      const draft = randomUUID();
      await keep(root.drafts.make(draft));
      try {
        const folder = join(root.path, houseName, 'drafts', draft);
        const options = { isolated: false, converts: true, head: commit, deadlineMs, signal };
        const { call } = await makeView(folder, repository, options);
        const env = { ...call.env, GIT_WORK_TREE: tree, GIT_INDEX_FILE: index };
        await git({ ...call, cwd: tree, env }, ['read-tree', '--reset', '-u', commit]);
      } finally {
        await root.drafts.move(draft, root.trash);
        await deleteTree(root.trash, draft, new AbortController().signal);
      }
    }
  });
}

/** @returns the commit it is on */
async function register(
  gitDir: string,
  path: string,
  start: string,
  limits: Pick<GitCall, 'deadlineMs' | 'signal'>,
): Promise<string> {
  const settings = Object.entries(disarmed).flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  const env = {
    GIT_DIR: gitDir,
    GIT_CONFIG_COUNT: String(Object.keys(disarmed).length),
    ...Object.fromEntries(settings),
  };
  const call: GitCall = { cwd: gitDir, env, ...limits };
  const { stdout } = await git(call, ['rev-parse', '--verify', '--end-of-options', `${start}^{commit}`]);
  const commit = stdout.toString().trim();
  await git(call, ['worktree', 'add', '--no-checkout', '--detach', path, commit]);
  return commit;
}
