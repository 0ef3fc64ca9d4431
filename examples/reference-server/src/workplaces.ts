import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  createWorktree,
  type WorktreeRemoval,
  worktreeKind,
  worktreeRemoval,
  worktreeResource,
} from '@agent-killswitch/adapter-git';
import {
  type Agent,
  type CleanupStep,
  InvalidInputError,
  isKillswitchError,
  type Resource,
} from '@agent-killswitch/core';
import { z } from 'zod';
import type { ServerConfig } from './config.ts';
import { makeWorkdir, workdirRemoval } from './workdir.ts';

const contextSchema = z.object({ repository: z.string().min(1), start: z.string().min(1).optional() });

/** Where agents work: in a worktree if their context names a repository (REQUIREMENTS C5), else in a folder of their own. */
export class Workplaces {
  readonly #workdirs: string;
  readonly #root: string;
  readonly #repositoriesRoot: string | undefined;
  readonly #removal: WorktreeRemoval;

  constructor({ stateDir, repositoriesRoot }: Pick<ServerConfig, 'stateDir' | 'repositoriesRoot'>) {
    this.#workdirs = join(stateDir, 'agents');
    this.#root = join(stateDir, 'worktrees');
    this.#repositoriesRoot = repositoriesRoot;
    this.#removal = worktreeRemoval({ root: this.#root });
  }

  get cleanup(): CleanupStep[] {
    return [this.#removal, workdirRemoval(this.#workdirs)];
  }

  /** What to admit the agent with; makes none of it yet. @throws InvalidInputError */
  async resources(agentId: string, context: unknown): Promise<Resource[]> {
    const workdir = { kind: 'workdir' };
    const { data } = contextSchema.safeParse(context);
    const repositoriesRoot = this.#repositoriesRoot;
    if (data === undefined || repositoriesRoot === undefined) return [workdir];
    try {
      const { repository } = data;
      const named = { root: this.#root, agentId, repository, repositoriesRoot };
      return [workdir, await worktreeResource(named)];
    } catch (error) {
      if (!isKillswitchError(error, 'repository-refused')) throw error;
      throw new InvalidInputError('body', [`context.repository: ${error.message}`]);
    }
  }

  /** Makes the admitted agent's workplace, and says where it is. */
  async make(agent: Agent, context: unknown): Promise<string> {
    const workdir = await makeWorkdir(this.#workdirs, agent.agentId, context);
    if (!agent.resources.some(({ kind }) => kind === worktreeKind)) return workdir;
    const start = contextSchema.safeParse(context).data?.start;
    const { path } = await createWorktree({
      root: this.#root,
      agent,
      ...(start === undefined ? {} : { start }),
    });
    return path;
  }

  /** Goes on with what an earlier life left to salvage and delete, without being waited for. */
  sweep(): void {
    if (existsSync(this.#root)) void this.#removal.sweep();
  }

  /** What is left then is done at the next start. */
  close(): Promise<void> {
    return this.#removal.close();
  }
}
