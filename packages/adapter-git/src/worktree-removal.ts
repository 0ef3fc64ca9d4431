import { type Agent, type CleanupStep, describeError, withinSignal } from '@agent-killswitch/core';
import { Aftermath } from './aftermath.ts';
import { NotOurWorktreeError } from './errors.ts';
import { parseOptions, type WorktreeRemovalOptions } from './options.ts';
import { hasWorktree, worktreeOf } from './resource.ts';
import { openRoot, parseRoot } from './root.ts';
import { setAside } from './set-aside.ts';
import { withinFolders } from './within-folders.ts';

/** The cleanup step that removes worktrees, and what goes on behind it. */
export interface WorktreeRemoval extends CleanupStep {
  /**
   * Salvages and deletes what an earlier life of this service left aside; call it at the start. Resolves when that is
   * done; problems go to `onProblem`. Without it, that happens along with the next removal.
   */
  sweep(): Promise<void>;
  /** Resolves when nothing that was removed is still to be salvaged or deleted, or cannot be now. */
  idle(): Promise<void>;
  /** Stops salvaging and deleting; the next start goes on. `run` goes on to work, and leaves everything aside. */
  close(): Promise<void>;
}

/**
 * Removes the worktrees of dead agents below `root`. `run` only moves a worktree aside, which takes a few milliseconds
 * whatever its size, so that no kill waits for it; salvage and deletion follow behind, one worktree at a time.
 * @throws InvalidConfigurationError, RootRefusedError if the root is no absolute path
 */
export function worktreeRemoval(options: WorktreeRemovalOptions): WorktreeRemoval {
  const settings = parseOptions(options);
  const root = parseRoot(settings.root);
  const { onProblem = (error) => console.error(`agent-killswitch adapter-git: ${describeError(error)}`) } =
    settings;
  const aftermath = new Aftermath(root, { ...settings, onProblem });
  const running = new Map<string, Promise<void>>();

  const remove = async (agent: Agent): Promise<void> => {
    const { name, doubt } = await withinFolders(async (keep) => {
      const opened = await openRoot(root, keep);
      return setAside(opened, agent, await worktreeOf(agent, root));
    }).finally(() => running.delete(agent.agentId));
    void aftermath.sweep(name);
    if (doubt !== undefined) throw doubt;
  };

  return {
    name: settings.name,
    limits: { deadlineMs: 3_000 },
    appliesTo: hasWorktree,
    async run(agent, { signal }) {
      signal.throwIfAborted();
      if (!hasWorktree(agent)) throw new NotOurWorktreeError(`Agent "${agent.agentId}" has no worktree`);
      const run = running.get(agent.agentId) ?? remove(agent);
      running.set(agent.agentId, run);
      await withinSignal(run, signal);
    },
    sweep: () => aftermath.sweepAll(),
    idle: () => aftermath.idle(),
    close: () => aftermath.close(),
  };
}
