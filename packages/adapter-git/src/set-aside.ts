import type { Agent } from '@agent-killswitch/core';
import { entryFor, treeName } from './entry.ts';
import {
  NotOurWorktreeError,
  RepositoryRefusedError,
  systemCode,
  unless,
  WorktreeStuckError,
} from './errors.ts';
import { findRegistration, moveRegistration } from './registration.ts';
import { openRepository, type Repository } from './repository.ts';
import type { WorktreeResource } from './resource.ts';
import type { Root } from './root.ts';
import { type Keep, withinFolders } from './within-folders.ts';

/**
 * Moves an agent's worktree and its registration aside, by two renames, however large it is and whatever state it is in:
 * dirty, locked, half removed, corrupt. Nothing in it is read, no git is run.
 * @returns the entry's name; `undefined` if there is nothing of it any more.
 * @throws WorktreeStuckError; NotOurWorktreeError or RepositoryRefusedError if its registration could not be dealt with
 */
export function setAside(root: Root, agent: Agent, worktree: WorktreeResource): Promise<string | undefined> {
  return withinFolders(async (keep) => {
    const { agentId, taskId } = agent;
    const isPresent = (await root.worktrees.stat(agentId)) !== undefined;
    const { repository, registration, doubt } = await registered(worktree, keep);
    if (isPresent || registration !== undefined) {
      const { path, gitDir } = worktree;
      const wanted = { agentId, taskId, path, gitDir, at: Date.now() };
      const { name, entry, meta } = await entryFor(root.aside, wanted);
      await keep(Promise.resolve(entry));
      // The registration first: an entry with a tree is complete, whoever finds it.
      if (repository !== undefined && registration !== undefined)
        await moveRegistration(repository.folder, registration, meta.registration, keep);
      if (isPresent) await stuck(path, unless(['ENOENT'], root.worktrees.move(agentId, entry, treeName)));
      if ((await root.worktrees.stat(agentId)) !== undefined)
        throw new WorktreeStuckError(`The worktree ${path} is there again`);
      if (doubt !== undefined) throw doubt;
      return name;
    }
    if (doubt !== undefined) throw doubt;
    return undefined;
  });
}

/** The registration; or, if it may not be touched, why: the worktree itself is removed all the same. */
async function registered(
  { gitDir, path }: WorktreeResource,
  keep: Keep,
): Promise<{ repository?: Repository; registration?: string; doubt?: Error }> {
  try {
    const repository = await openRepository(gitDir, keep);
    const registration = await findRegistration(repository, path, keep);
    return registration === undefined ? { repository } : { repository, registration };
  } catch (thrown) {
    if (thrown instanceof NotOurWorktreeError) return { doubt: thrown };
    if (!(thrown instanceof RepositoryRefusedError)) throw thrown;
    // A repository that is gone has no registrations.
    return systemCode(thrown.cause) === 'ENOENT' ? {} : { doubt: thrown };
  }
}

async function stuck(path: string, move: Promise<unknown>): Promise<void> {
  try {
    await move;
  } catch (thrown) {
    const why = systemCode(thrown) === 'EBUSY' ? 'it is a mount point' : (systemCode(thrown) ?? thrown);
    throw new WorktreeStuckError(`The worktree ${path} cannot be moved aside: ${why}`, { cause: thrown });
  }
}
