import type { Agent } from '@agent-killswitch/core';
import { entryFor, treeless, treeName } from './entry.ts';
import {
  NotOurWorktreeError,
  RepositoryRefusedError,
  systemCode,
  unless,
  WorktreeStuckError,
} from './errors.ts';
import { mountsIn } from './mounts.ts';
import { findRegistration, moveRegistration } from './registration.ts';
import { openRepository, type Repository } from './repository.ts';
import type { WorktreeResource } from './resource.ts';
import type { Root } from './root.ts';
import { type Keep, withinFolders } from './within-folders.ts';

export interface SetAside {
  /** The entry, which nobody is filling any more; `undefined` if there is none. */
  readonly name: string | undefined;
  /** Why its registration was left as it is: a NotOurWorktreeError or RepositoryRefusedError. */
  readonly doubt?: Error;
}

/**
 * Moves an agent's worktree and its registration aside, by two renames, however large it is and whatever state it is in:
 * dirty, locked, half removed, corrupt. Nothing in it is read, no git is run.
 * @throws WorktreeStuckError
 */
export function setAside(root: Root, agent: Agent, worktree: WorktreeResource): Promise<SetAside> {
  return withinFolders(async (keep) => {
    const { agentId, taskId } = agent;
    if ((await mountsIn(worktree.path)).some((mount) => mount.path === worktree.path))
      throw new WorktreeStuckError(`The worktree ${worktree.path} is a mount point: unmount it`);
    const isPresent = (await root.worktrees.stat(agentId)) !== undefined;
    const { repository, registration, doubt } = await registered(worktree, keep);
    // What an earlier run set aside before it was cut off is complete as well.
    if (!isPresent && registration === undefined) return given(await treeless(root.aside, agentId), doubt);
    const { path, gitDir } = worktree;
    const wanted = { agentId, taskId, path, gitDir, at: Date.now() };
    const { name, entry, meta } = await entryFor(root.aside, wanted);
    await keep(Promise.resolve(entry));
    let trouble = doubt;
    // The registration first: an entry with a tree is complete, whoever finds it.
    if (repository !== undefined && registration !== undefined)
      trouble = await refusal(moveRegistration(repository, registration, meta.registration, keep));
    if (isPresent) await stuck(path, unless(['ENOENT'], root.worktrees.move(agentId, entry, treeName)));
    if ((await root.worktrees.stat(agentId)) !== undefined)
      throw new WorktreeStuckError(`The worktree ${path} is there again`);
    return given(name, trouble);
  });
}

function given(name: string | undefined, doubt: Error | undefined): SetAside {
  return doubt === undefined ? { name } : { name, doubt };
}

async function refusal(move: Promise<void>): Promise<Error | undefined> {
  try {
    await move;
    return undefined;
  } catch (thrown) {
    if (thrown instanceof RepositoryRefusedError) return thrown;
    throw thrown;
  }
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
    const why = systemCode(thrown) ?? thrown;
    throw new WorktreeStuckError(`The worktree ${path} cannot be moved aside: ${why}`, { cause: thrown });
  }
}
