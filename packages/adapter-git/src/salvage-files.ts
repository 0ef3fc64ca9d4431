import { access, constants, lstat } from 'node:fs/promises';
import { GitFailedError, systemCode, WorktreeBusyError } from './errors.ts';
import { type GitCall, git, type User } from './git.ts';
import { makeStorable } from './make-storable.ts';
import type { SalvageLimits } from './options.ts';
import { components, inFolder, joined, maxRecords, records } from './tree.ts';

const slash = '/'.charCodeAt(0);

/** What a working tree has that its index has not. */
export interface Changes {
  /** Files and symbolic links to store, within the limits. */
  readonly store: readonly Buffer[];
  readonly bytes: number;
  /** Tracked and not there any more. */
  readonly removed: readonly Buffer[];
  /** Too much, not readable, no file, or a folder too deep to be looked through: stays out. */
  readonly leftOut: readonly Buffer[];
  /** The listing itself was too long: more stays out than `leftOut` names. */
  readonly isCut: boolean;
  /** The folders of the tree before it was looked through; see {@link makeStorable}. */
  readonly folders: string;
}

/** Finds changed and untracked files, ignored ones excepted, and chooses as many as the limits allow, the smallest first. */
export async function findChanges(call: GitCall, tree: string, limits: SalvageLimits): Promise<Changes> {
  const { tooDeep, folders } = await makeStorable(tree, call.signal);
  const { paths, isCut } = await list(call);
  const looker = new Looker(tree, call.user);
  const leftOut = [...tooDeep];
  const removed: Buffer[] = [];
  const files: Array<{ path: Buffer; size: number }> = [];
  for (const path of paths) {
    call.signal.throwIfAborted();
    const file = await looker.look(path);
    if (file === 'gone') removed.push(path);
    else if (file === 'unusable') leftOut.push(path);
    else files.push({ path, size: file.size });
  }
  const store: Buffer[] = [];
  let bytes = 0;
  for (const { path, size } of files.sort((one, other) => one.size - other.size)) {
    if (bytes + size > limits.maxBytes || store.length >= limits.maxFiles) leftOut.push(path);
    else {
      store.push(path);
      bytes += size;
    }
  }
  return { store, bytes, removed, leftOut, isCut, folders };
}

/**
 * Puts the changes into the index.
 * @throws GitFailedError, also when git takes one of them from nobody: then nothing is salvaged, and all of it kept
 */
export async function stage(call: GitCall, { store, removed }: Changes): Promise<void> {
  if (removed.length > 0)
    await git(call, ['update-index', '--force-remove', '-z', '--stdin'], { input: joined(removed) });
  if (store.length === 0) return;
  const args = ['update-index', '--add', '--replace', '-z', '--stdin'];
  const { stderr } = await git(call, args, { input: joined(store) }).catch((thrown) => {
    const isGone = /Unable to process path/.test(`${thrown}`) && !call.signal.aborted;
    throw isGone ? new WorktreeBusyError('Somebody is still writing in it', { cause: thrown }) : thrown;
  });
  if (stderr.includes('Ignoring path')) throw new GitFailedError(`Git does not store it: ${stderr}`);
}

/**
 * Sees to it that the tree is what was staged of it. It is not while somebody goes on writing: what they had just renamed
 * may have been found in neither place, and even twice, which the times of the folders tell.
 * @throws WorktreeBusyError naming something that is not
 */
export async function checkAtRest(
  call: GitCall,
  tree: string,
  { leftOut, isCut, folders }: Changes,
): Promise<void> {
  const expected = new Set(leftOut.map((path) => path.toString('latin1')));
  // Of so many files only the first were looked at, which is said.
  const paths = isCut ? [] : (await list(call)).paths;
  const other = paths.find((path) => !expected.has(path.toString('latin1')));
  const now = await makeStorable(tree, call.signal);
  if (now.renamed === 0 && now.folders === folders && other === undefined) return;
  const what = other ?? (now.renamed > 0 ? '.git' : 'its folders');
  throw new WorktreeBusyError(`Somebody is still writing in it: ${JSON.stringify(`${what}`)}`);
}

/** What git finds changed in the index, and what it finds besides. */
async function list(call: GitCall): Promise<{ paths: Buffer[]; isCut: boolean }> {
  const changed = await git(call, ['ls-files', '-z', '-m']);
  const others = await git(call, ['ls-files', '-z', '-o', '--exclude-standard']);
  // A file in conflict is listed once for each of its sides.
  const all = [...records(changed.stdout), ...records(others.stdout)];
  const paths = new Map(all.map((path) => [path.toString('latin1'), path]));
  return { paths: [...paths.values()], isCut: changed.isCut || others.isCut || all.length >= maxRecords };
}

type Look = 'gone' | 'unusable' | { readonly size: number };

/** Looks at paths of a working tree; what lies behind a symbolic link is not in it. */
class Looker {
  readonly #user: User | undefined;
  readonly #root: string;
  readonly #tree: Buffer;
  readonly #isFolder = new Map<string, Promise<boolean>>();

  constructor(tree: string, user: User | undefined) {
    this.#user = user;
    this.#root = tree;
    this.#tree = Buffer.from(`${tree}/`);
  }

  async look(path: Buffer): Promise<Look> {
    if (!(await this.#holds(path))) return 'gone';
    const place = this.#place(path);
    try {
      const stat = await lstat(place);
      if (stat.isDirectory()) return 'gone';
      if (!stat.isFile()) return stat.isSymbolicLink() ? { size: stat.size } : 'unusable';
      // Its owner may take back the right to read that they gave away.
      if (!this.#mayBeRead(stat)) return 'unusable';
      if ((stat.mode & 0o400) === 0) await this.#letRead(path);
      await access(place, constants.R_OK);
      return { size: stat.size };
    } catch (thrown) {
      return ['ENOENT', 'ENOTDIR'].includes(systemCode(thrown) ?? '') ? 'gone' : 'unusable';
    }
  }

  /** Whether all folders above the path are folders. */
  #holds(path: Buffer): Promise<boolean> {
    const end = path.lastIndexOf(slash);
    if (end === -1) return Promise.resolve(true);
    const parent = path.subarray(0, end);
    const key = parent.toString('latin1');
    const known = this.#isFolder.get(key) ?? this.#isIn(parent);
    this.#isFolder.set(key, known);
    return known;
  }

  async #isIn(folder: Buffer): Promise<boolean> {
    if (!(await this.#holds(folder))) return false;
    return lstat(this.#place(folder)).then(
      (stat) => stat.isDirectory(),
      () => false,
    );
  }

  /** Whether git, which may run with other rights than this process, can read the file, or be let. */
  #mayBeRead({ uid, gid, mode }: { uid: number; gid: number; mode: number }): boolean {
    const user = this.#user;
    if (user === undefined || uid === user.uid) return true;
    return (mode & (gid === user.gid ? 0o040 : 0o004)) !== 0;
  }

  #letRead(path: Buffer): Promise<void> {
    const folders = components(path);
    const name = folders.pop() ?? '';
    return inFolder(this.#root, folders, (folder) => folder.letRead(name));
  }

  #place(path: Buffer): Buffer {
    return Buffer.concat([this.#tree, path]);
  }
}
