import { realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { RepositoryRefusedError, systemCode } from './errors.ts';
import { Folder } from './folder.ts';
import { mountsIn } from './mounts.ts';
import { isBelow } from './root.ts';
import { type Keep, withinFolders } from './within-folders.ts';

/** A `config` larger than this is none that anybody wrote. */
const maxConfigBytes = 1_048_576;

/** A repository's git folder, opened, with what has to be known of its format. */
export interface Repository {
  /** Without symbolic links in it. */
  readonly gitDir: string;
  readonly folder: Folder;
  readonly objectFormat: 'sha1' | 'sha256';
}

/**
 * The git folder of a repository that the service names. What a `.git` file points to is not followed: the main
 * repository has to be named.
 * @throws RepositoryRefusedError
 */
export async function findRepository(
  repository: string,
  repositoriesRoot?: string,
): Promise<{ gitDir: string }> {
  const refuse = (why: string): never => {
    throw new RepositoryRefusedError(`Repository ${JSON.stringify(repository)}: ${why}`);
  };
  if (typeof repository !== 'string' || !isAbsolute(repository) || /[\0\n\r]/.test(repository))
    return refuse('must be an absolute path');
  const resolved = await realpath(repository).catch((thrown) => refuse(systemCode(thrown) ?? String(thrown)));
  const below =
    repositoriesRoot === undefined ? '/' : await realpath(repositoriesRoot).catch(() => undefined);
  if (below === undefined || !isBelow(below, resolved)) return refuse(`must lie below ${repositoriesRoot}`);
  for (const gitDir of [`${resolved}/.git`, resolved]) {
    const isOne = await withinFolders((keep) => openRepository(gitDir, keep)).catch((thrown) => {
      if (thrown instanceof RepositoryRefusedError) return undefined;
      throw thrown;
    });
    if (isOne !== undefined) return { gitDir };
  }
  return refuse('is no git repository, or a worktree or submodule of one: name the main repository');
}

/**
 * Opens a git folder just where it was when it was named: neither it nor a folder above may have become a symbolic link.
 * @throws RepositoryRefusedError
 */
export async function openRepository(gitDir: string, keep: Keep): Promise<Repository> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new RepositoryRefusedError(`Repository ${gitDir}: ${why}`, { cause });
  };
  try {
    if ((await mountsIn(gitDir)).some(({ type }) => type.startsWith('fuse')))
      return refuse('somebody serves a file system of their own in it');
    const folder = await keep(Folder.open(gitDir));
    if ((await realpath(gitDir)) !== gitDir) return refuse('a symbolic link has come into its path');
    for (const part of ['objects', 'refs']) await keep(folder.folder(part));
    const config = (await folder.read('config', maxConfigBytes))?.toString('latin1');
    if (config === undefined || (await folder.read('HEAD', 4_096)) === undefined)
      return refuse('has no HEAD or config');
    if (/^\s*refstorage\s*=\s*"?reftable/im.test(config)) return refuse('reftable is not supported yet');
    const objectFormat = /^\s*objectformat\s*=\s*"?sha256/im.test(config) ? 'sha256' : 'sha1';
    return { gitDir, folder, objectFormat };
  } catch (thrown) {
    if (thrown instanceof RepositoryRefusedError) throw thrown;
    return refuse(`cannot be opened: ${systemCode(thrown) ?? thrown}`, thrown);
  }
}
