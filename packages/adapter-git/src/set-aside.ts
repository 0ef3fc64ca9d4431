import type { Agent } from '@agent-killswitch/core';
import { entryFor, treeless, treeName } from './entry.ts';
import {
  NotOurWorktreeError,
  RepositoryRefusedError,
  systemCode,
  unless,
  WorktreeMovedError,
  WorktreeStuckError,
} from './errors.ts';
import { forgetMade } from './made.ts';
import { mountsIn } from './mounts.ts';
import { findRegistration, moveRegistration } from './registration.ts';
import { openRepository, type Repository } from './repository.ts';
import type { WorktreeResource } from './resource.ts';
import type { Root } from './root.ts';
import { findStrayed } from './strayed.ts';
import { type Keep, withinFolders } from './within-folders.ts';

export interface SetAside {
  /** The entry, which nobody is filling any more; `undefined` if there is none. */
  readonly name: string | undefined;
  /** Why its registration was left as it is: a NotOurWorktreeError, WorktreeMovedError or RepositoryRefusedError. */
  readonly doubt?: Error;
}

/**
 * Moves an agent's worktree and its registration aside, by two renames, however large it is and whatever state it is in:
 * dirty, locked, half removed, corrupt. Nothing in it is read, no git is run.
 * One that was moved within the root is found; `doubt` says so of one that was moved elsewhere.
 * @throws WorktreeStuckError
 */
export function setAside(root: Root, agent: Agent, worktree: WorktreeResource): Promise<SetAside> {
  return withinFolders(async (keep) => {
    const { agentId, taskId } = agent;
    if ((await mountsIn(worktree.path)).some((mount) => mount.path === worktree.path))
      throw new WorktreeStuckError(`The worktree ${worktree.path} is a mount point: unmount it`);
    const isPresent = (await root.worktrees.stat(agentId)) !== undefined;
    const { found, isElsewhere } = await findStrayed(root, agentId, keep);
    const { repository, registration, doubt } = isElsewhere
      ? { doubt: moved(agentId, worktree.path) }
      : await registered(worktree, found[0]?.path, keep);
    const trees = [...found, ...(isPresent ? [{ parent: root.worktrees, name: agentId }] : [])];
    // What an earlier run set aside before it was cut off is complete as well.
    if (trees.length === 0 && registration === undefined) {
      if (!isElsewhere) await forgetMade(root.made, agentId);
      return given(await treeless(root.aside, agentId), doubt);
    }
    const { path, gitDir } = worktree;
    const wanted = { agentId, taskId, path, gitDir, at: Date.now() };
    const { name, entry, meta } = await entryFor(root.aside, wanted);
    await keep(Promise.resolve(entry));
    let trouble = doubt;
    // The registration first: an entry with a tree is complete, whoever finds it.
    if (repository !== undefined && registration !== undefined)
      trouble = await refusal(moveRegistration(repository, registration, meta.registration, keep));
    for (const [at, tree] of trees.entries()) {
      const into = at === 0 ? entry : (await entryFor(root.aside, wanted)).entry;
      if (at > 0) await keep(Promise.resolve(into));
      await stuck(path, unless(['ENOENT'], tree.parent.move(tree.name, into, treeName)));
    }
    if ((await root.worktrees.stat(agentId)) !== undefined)
      throw new WorktreeStuckError(`The worktree ${path} is there again`);
    if (!isElsewhere) await forgetMade(root.made, agentId);
    return given(name, trouble);
  });
}

function moved(agentId: string, path: string): WorktreeMovedError {
  return new WorktreeMovedError(
    `The worktree of agent "${agentId}" was moved out of its root and not deleted: bring it back to ${path}, or delete it where it is`,
  );
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
  movedTo: string | undefined,
  keep: Keep,
): Promise<{ repository?: Repository; registration?: string; doubt?: Error }> {
  try {
    const repository = await openRepository(gitDir, keep);
    const registration =
      (await findRegistration(repository, path, keep)) ??
      (movedTo === undefined ? undefined : await findRegistration(repository, movedTo, keep));
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
