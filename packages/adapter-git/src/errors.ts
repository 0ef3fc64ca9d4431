import { KillswitchError } from '@agent-killswitch/core';

/** Descriptors of open folders cannot be used as paths here (`/proc/self/fd`, Linux), without which no path is safe from a swap. */
export class UnsupportedPlatformError extends KillswitchError {
  readonly code = 'unsupported-platform';
}

/** The root cannot be used, or holds things that are not the killswitch's. Nothing was touched. */
export class RootRefusedError extends KillswitchError {
  readonly code = 'root-refused';
}

/** What an agent's record names is not surely a worktree of that agent below the root. Nothing was touched. */
export class NotOurWorktreeError extends KillswitchError {
  readonly code = 'not-our-worktree';
}

/** The worktree was moved to a place outside the root that is not known. It is not touched, nor is its registration. */
export class WorktreeMovedError extends KillswitchError {
  readonly code = 'worktree-moved';
}

/** The path names no repository that worktrees can be made of and work be salvaged to. Nothing was touched. */
export class RepositoryRefusedError extends KillswitchError {
  readonly code = 'repository-refused';
}

/** The system does not let the worktree be moved aside: a mount point, an immutable folder, missing rights. See `cause`. */
export class WorktreeStuckError extends KillswitchError {
  readonly code = 'worktree-stuck';
}

/** The worktree could not be made. What there is of it is removed with the agent's cleanup. */
export class WorktreeFailedError extends KillswitchError {
  readonly code = 'worktree-failed';
}

/** The agent's work could not be stored in its repository. Its files stay where the message says, and it is tried again at the next start. */
export class SalvageFailedError extends KillswitchError {
  readonly code = 'salvage-failed';
}

/** What was set aside could not be deleted. It is tried again at the next start. */
export class DeletionFailedError extends KillswitchError {
  readonly code = 'deletion-failed';
}

/** Somebody goes on writing in a worktree while it is salvaged: the cause of a SalvageFailedError. */
export class WorktreeBusyError extends KillswitchError {
  readonly code = 'worktree-busy';
}

/** Git ended with an error, or was ended at its deadline. */
export class GitFailedError extends KillswitchError {
  readonly code = 'git-failed';
}

/** The system's name for what went wrong (`ENOENT`), if the thrown value has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** What `work` gives, or `undefined` if the system says one of the codes. */
export async function unless<T>(codes: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (codes.includes(systemCode(thrown) ?? '')) return undefined;
    throw thrown;
  }
}
