import { access, constants, lstat } from 'node:fs/promises';
import { systemCode } from './errors.ts';
import { type GitCall, git, type User } from './git.ts';
import type { SalvageLimits } from './options.ts';
import { disguise } from './salvage-index.ts';
import { components, inFolder, joined, openUp, records } from './tree.ts';

const maxNestedPasses = 16;
const slash = '/'.charCodeAt(0);

/** What a working tree has that its index has not. */
export interface Changes {
  /** Files and symbolic links to store, within the limits. */
  readonly store: readonly Buffer[];
  readonly bytes: number;
  /** Tracked and not there any more. */
  readonly removed: readonly Buffer[];
  /** Too much, not readable, or no file: stays out. */
  readonly leftOut: readonly Buffer[];
  /** The listing itself was too long: more stays out than `leftOut` names. */
  readonly isCut: boolean;
}

/** Finds changed and untracked files, ignored ones excepted, and chooses as many as the limits allow, the smallest first. */
export async function findChanges(call: GitCall, tree: string, limits: SalvageLimits): Promise<Changes> {
  const { paths, leftOut, isCut } = await list(call, tree);
  const looker = new Looker(tree, call.user);
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
  return { store, bytes, removed, leftOut, isCut };
}

/** Puts the changes into the index. @returns them without what git takes from nobody: `git~1` is one of its names for `.git` */
export async function stage(call: GitCall, changes: Changes): Promise<Changes> {
  const { store, removed } = changes;
  if (removed.length > 0)
    await git(call, ['update-index', '--force-remove', '-z', '--stdin'], { input: joined(removed) });
  if (store.length === 0) return changes;
  const { stderr } = await git(call, ['update-index', '--add', '--replace', '-z', '--stdin'], {
    input: joined(store),
  });
  if (!stderr.includes('Ignoring path')) return changes;
  const { stdout } = await git(call, ['ls-files', '-z']);
  const held = new Set(records(stdout).map((path) => path.toString('latin1')));
  const isHeld = (path: Buffer): boolean => held.has(path.toString('latin1'));
  return {
    ...changes,
    store: store.filter(isHeld),
    leftOut: [...changes.leftOut, ...store.filter((path) => !isHeld(path))],
  };
}

/** What git finds changed in the index, and what it finds besides. */
async function list(
  call: GitCall,
  tree: string,
): Promise<{ paths: Buffer[]; leftOut: Buffer[]; isCut: boolean }> {
  const changed = await git(call, ['ls-files', '-z', '-m']);
  let isOpenedUp = false;
  for (let pass = 1; ; pass++) {
    const { stdout, stderr, isCut } = await git(call, ['ls-files', '-z', '-o', '--exclude-standard']);
    if (!isOpenedUp && /could not open directory/.test(stderr)) {
      isOpenedUp = true;
      await openUp(tree);
      continue;
    }
    const others = records(stdout);
    const nested = others.filter((path) => path.at(-1) === slash);
    if (nested.length > 0 && pass <= maxNestedPasses) {
      for (const path of nested) await disguise(tree, path);
      continue;
    }
    const files = others.filter((path) => path.at(-1) !== slash);
    // A file in conflict is listed once for each of its sides.
    const paths = new Map(
      [...records(changed.stdout), ...files].map((path) => [path.toString('latin1'), path]),
    );
    return { paths: [...paths.values()], leftOut: nested, isCut: isCut || changed.isCut };
  }
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
