import { randomUUID } from 'node:crypto';
import { chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { viewPrefix } from './entry.ts';
import type { GitCall } from './git.ts';
import type { Repository } from './repository.ts';

/** The folders of a view that git writes to. */
const written = ['objects/pack', 'out', 'index'];

/** No attribute of the agent's may change a byte on its way into the repository. */
const attributes = '* -text -eol -ident -filter -working-tree-encoding -diff -merge\n';

const settings = `
	bare = false
	logAllRefUpdates = false
	fileMode = true
	symlinks = true
	ignoreCase = false
	precomposeUnicode = false
	autocrlf = false
	fsmonitor = false
	untrackedCache = false
	splitIndex = false
	commitGraph = false
	multiPackIndex = false
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
[gc]
	auto = 0
[maintenance]
	auto = false
[pack]
	threads = 1
`;

/**
 * A repository of our own through which git looks at the agent's: its configuration and hooks are not there, its objects
 * and refs are, and what git writes stays here until it is moved over as one pack. So nothing that the agent may have
 * written into its repository is ever run, and git can be led to write nowhere else.
 */
export interface View {
  readonly path: string;
  /** For calls of git that look through it. */
  readonly call: GitCall;
}

export interface ViewOptions {
  /** Without a look at the agent's repository at all, for when that is broken. */
  readonly isolated: boolean;
  /** Line ends and encodings are converted as the files' attributes say: for writing files, not for keeping them. */
  readonly converts?: boolean;
  /** What its HEAD says. Default: nothing yet. */
  readonly head?: string | undefined;
  /** What is ignored besides what `.gitignore` files say. */
  readonly exclude?: Buffer | undefined;
}

export async function makeView(
  folder: string,
  { gitDir, objectFormat }: Pick<Repository, 'gitDir' | 'objectFormat'>,
  {
    isolated,
    converts = false,
    head,
    exclude,
    ...call
  }: ViewOptions & Pick<GitCall, 'deadlineMs' | 'signal' | 'user'>,
): Promise<View> {
  // A name of its own each time: a git that outlived its service may still be at work in an earlier one.
  const path = join(folder, `${viewPrefix}${randomUUID()}`);
  for (const part of ['', 'info', 'objects', ...written]) await mkdir(join(path, part), { mode: 0o755 });
  const isSha256 = objectFormat === 'sha256';
  const format = `[core]\n\trepositoryFormatVersion = ${isSha256 ? 1 : 0}${settings}`;
  await writeFile(
    join(path, 'config'),
    isSha256 ? `${format}[extensions]\n\tobjectFormat = sha256\n` : format,
  );
  // What says how git behaves stays this process's own; it writes only where it must.
  await writeFile(join(path, 'HEAD'), `${head ?? 'ref: refs/heads/none'}\n`);
  if (!converts) await writeFile(join(path, 'info/attributes'), attributes);
  if (exclude !== undefined) await writeFile(join(path, 'info/exclude'), exclude);
  await mkdir(join(path, 'objects/info'), { mode: 0o755 });
  if (isolated) await mkdir(join(path, 'refs'));
  else {
    await writeFile(join(path, 'objects/info/alternates'), `${join(gitDir, 'objects')}\n`);
    await symlink(join(gitDir, 'refs'), join(path, 'refs'));
    for (const file of ['packed-refs', 'shallow']) await symlink(join(gitDir, file), join(path, file));
  }
  if (call.user !== undefined) {
    for (const part of ['objects', ...written]) await chown(join(path, part), call.user.uid, call.user.gid);
  }
  return { path, call: { cwd: path, env: { GIT_DIR: path }, ...call } };
}
