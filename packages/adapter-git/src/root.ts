import { mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { RootRefusedError, systemCode, UnsupportedPlatformError, unless } from './errors.ts';
import { Folder } from './folder.ts';
import type { Keep } from './within-folders.ts';

/** What the killswitch keeps below the root. No agent's id starts with a dot. */
export const houseName = '.agent-killswitch';

/** Git gets to a tree with the rights of its owner, who can list or change nothing on the way. */
export const reachable = 0o711;

/** The folder in which worktrees lie, each named by its agent's id, and nothing else. */
export interface Root {
  /** Without symbolic links in it. */
  readonly path: string;
  readonly worktrees: Folder;
  /** Worktrees that were moved aside and whose work may still have to be salvaged, one folder each. */
  readonly aside: Folder;
  /** What is only to be deleted. */
  readonly trash: Folder;
  /** Which folders were made as worktrees (see `made.ts`). */
  readonly made: Folder;
  /** Views in use while worktrees are made. */
  readonly drafts: Folder;
}

/**
 * Opens the root, and makes it if it is not there. It is the killswitch's if it is empty at that time, or marked as such
 * by an earlier use.
 * @throws RootRefusedError, UnsupportedPlatformError
 */
export async function openRoot(root: string, keep: Keep): Promise<Root> {
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const path = await realpath(root);
    await mark(path);
    const worktrees = await keep(Folder.open(path));
    const house = await keep(worktrees.folder(houseName));
    return {
      path,
      worktrees,
      aside: await keep(house.make('aside', reachable)),
      trash: await keep(house.make('trash')),
      made: await keep(house.make('made')),
      drafts: await keep(house.make('drafts')),
    };
  } catch (thrown) {
    if (thrown instanceof RootRefusedError || thrown instanceof UnsupportedPlatformError) throw thrown;
    throw new RootRefusedError(`The root ${root} cannot be used: ${systemCode(thrown) ?? thrown}`, {
      cause: thrown,
    });
  }
}

/** @returns the root as an absolute path. @throws RootRefusedError */
export function parseRoot(root: unknown): string {
  if (typeof root !== 'string' || !isAbsolute(root) || root.includes('\0'))
    throw new RootRefusedError(`The root must be an absolute path, not ${JSON.stringify(root)}`);
  const path = resolve(root);
  if (path === '/') throw new RootRefusedError('The root must be a folder of its own, not /');
  return path;
}

/** Whether the path lies below the folder; both without symbolic links and `..` in them. */
export function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder === '/' ? '/' : `${folder}/`) && path !== folder;
}

async function mark(path: string): Promise<void> {
  const house = join(path, houseName);
  const marked = await unless(['ENOENT'], stat(house));
  if (marked !== undefined) return;
  const others = (await readdir(path)).filter((name) => name !== houseName);
  if (others.length > 0) {
    throw new RootRefusedError(
      `The root ${path} holds other things (${others.slice(0, 3).join(', ')}): give a folder of its own, or make ${house} if all in it is worktrees of agents`,
    );
  }
  await unless(['EEXIST'], mkdir(house, { mode: reachable }));
}
