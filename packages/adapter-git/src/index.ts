export { type CreateWorktreeOptions, createWorktree, type Worktree } from './create-worktree.ts';
export {
  DeletionFailedError,
  GitFailedError,
  NotOurWorktreeError,
  RepositoryRefusedError,
  RootRefusedError,
  SalvageFailedError,
  UnsupportedPlatformError,
  WorktreeBusyError,
  WorktreeFailedError,
  WorktreeMovedError,
  WorktreeStuckError,
} from './errors.ts';
export type { WorktreeRemovalOptions } from './options.ts';
export { worktreeKind, worktreeResource } from './resource.ts';
export type { Salvaged } from './salvage.ts';
export { salvageRef } from './salvage-ref.ts';
export { type WorktreeRemoval, worktreeRemoval } from './worktree-removal.ts';
