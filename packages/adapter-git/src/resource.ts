import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Agent, idSchema, parseInput, type Resource } from '@agent-killswitch/core';
import { z } from 'zod';
import { NotOurWorktreeError } from './errors.ts';
import { findRepository } from './repository.ts';
import { openRoot, parseRoot } from './root.ts';
import { withinFolders } from './within-folders.ts';

/** The kind under which a worktree stands in an agent's resources. */
export const worktreeKind = 'worktree';

const pathSchema = z
  .string()
  .min(2)
  .max(4_000)
  .startsWith('/')
  // A line feed would end the path in git's own files.
  .refine((path) => !/[\0\n\r]/.test(path), 'must not hold NUL or line ends')
  .refine((path) => join(path, '.') === path && !path.endsWith('/'), 'must be a plain path');

/** How an agent's record names its worktree. */
const worktreeSchema = z.object({
  kind: z.literal(worktreeKind),
  /** Where it lies: the root, and the agent's id. */
  path: pathSchema,
  /** The repository it belongs to: its git folder, for example `/srv/repositories/site/.git`. */
  gitDir: pathSchema,
});
export type WorktreeResource = z.infer<typeof worktreeSchema>;

/**
 * The resource to admit an agent with, before its worktree is made by `createWorktree`, so that a crash in between
 * leaves nothing that nobody knows of. Makes the root if it is not there, and nothing else.
 * @throws InvalidInputError, RootRefusedError, RepositoryRefusedError
 */
export async function worktreeResource(options: {
  /** Absolute. The same as the one given to `worktreeRemoval`. */
  readonly root: string;
  readonly agentId: string;
  /** A local repository: its working tree, or a bare one. */
  readonly repository: string;
  /** The repository must lie below this folder. Default: anywhere. */
  readonly repositoriesRoot?: string;
}): Promise<Resource> {
  const agentId = parseInput('agent id', idSchema, options.agentId);
  const { gitDir } = await findRepository(options.repository, options.repositoriesRoot);
  const path = await withinFolders(async (keep) => (await openRoot(parseRoot(options.root), keep)).path);
  return { kind: worktreeKind, path: join(path, agentId), gitDir };
}

/** Whether the agent has a worktree, or something that says it is one. */
export function hasWorktree(agent: Agent): boolean {
  return agent.resources.some(({ kind }) => kind === worktreeKind);
}

/**
 * The agent's worktree below this root.
 * @throws NotOurWorktreeError if its record names none, several, or one that is not surely this agent's
 */
export async function worktreeOf(agent: Agent, root: string): Promise<WorktreeResource> {
  const { agentId } = agent;
  const [named, ...others] = agent.resources.filter(({ kind }) => kind === worktreeKind);
  const refuse = (why: string): never => {
    throw new NotOurWorktreeError(`Worktree of agent "${agentId}" not touched: ${why}`);
  };
  if (named === undefined || others.length > 0) return refuse('its record does not name exactly one');
  const parsed = worktreeSchema.safeParse(named);
  if (!parsed.success || !idSchema.safeParse(agentId).success)
    return refuse(`its record is malformed: ${parsed.error?.issues[0]?.path.join('.') ?? 'agentId'}`);
  const place = (await realpath(root).catch(() => root)) as string;
  if (parsed.data.path !== join(place, agentId))
    return refuse(`${JSON.stringify(parsed.data.path)} is not ${join(place, agentId)}`);
  return parsed.data;
}
