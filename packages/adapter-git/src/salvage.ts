import { join } from 'node:path';
import { describeError } from '@agent-killswitch/core';
import { type EntryMeta, treeName } from './entry.ts';
import { SalvageFailedError, unless, WorktreeBusyError } from './errors.ts';
import type { Folder } from './folder.ts';
import type { User } from './git.ts';
import type { SalvageLimits } from './options.ts';
import { asideRegistrations, nestedRegistrations } from './registration.ts';
import { openRepository, type Repository } from './repository.ts';
import { headCommit, headOf, unpushedTips } from './salvage-commits.ts';
import { messageOf } from './salvage-message.ts';
import { authorAt, commit, emptyTree, gathered, refsOf, treeOf } from './salvage-objects.ts';
import { movePack } from './salvage-pack.ts';
import { refPatterns, writeRef } from './salvage-ref.ts';
import { commitStaged, isWorth, nestedWork } from './salvage-staged.ts';
import { stageWork } from './salvage-tree.ts';
import { hasStoredName } from './stored-name.ts';
import { makeView } from './view.ts';
import { type Keep, withinFolders } from './within-folders.ts';

const maxExcludeBytes = 1_048_576;
const noNested = { found: [], isCut: false };
const lostIndex =
  'what was staged, and ignored files that were added by force, since its index could not be read, or holds forbidden names';
const cutCommits = 'undone commits beyond the newest 10,000, or in a reflog that could not be read';
/** All of one salvage may take as long as this many calls of git that run into their deadline. */
const maxCalls = 5;

/** Work that was kept. */
export interface Salvaged {
  readonly agentId: string;
  /** The repository's git folder. */
  readonly gitDir: string;
  readonly ref: string;
  /** Its tree is the working tree, its first parent what the agent was on. */
  readonly commit: string;
  /** Changed and untracked files in it, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** How many of them stand under another name (`.GIT-salvaged`), since git takes theirs from nobody. The message names them. */
  readonly renamed: number;
  /** How many were left out: over the limits, not readable, or no files. The commit's message names them. */
  readonly leftOut: number;
  /** What else could not be kept, for people: an index that cannot be read, commits beyond all limits. The message says it too. */
  readonly unkept: readonly string[];
}

export interface SalvageRequest {
  readonly entry: Folder;
  /** The entry's path. */
  readonly folder: string;
  readonly meta: EntryMeta;
  /** Whether there is a working tree, or only its registration. */
  readonly hasTree: boolean;
  readonly limits: SalvageLimits;
  readonly gitDeadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Keeps what an agent left uncommitted or on no branch in its repository, as the ref of `salvageRef`.
 * `undefined` if there is nothing to keep.
 * @throws SalvageFailedError
 */
export function salvage(request: SalvageRequest): Promise<Salvaged | undefined> {
  const { meta, folder, gitDeadlineMs, signal: stop } = request;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(gitDeadlineMs * maxCalls)]);
  return withinFolders(async (keep) => {
    try {
      const repository = await openRepository(meta.gitDir, keep);
      try {
        return await keepWork({ ...request, signal }, repository, keep);
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof WorktreeBusyError) throw thrown;
        // Its base is broken: the files themselves can still be kept, all of them.
        return await keepWork({ ...request, signal }, repository, keep, describeError(thrown));
      }
    } catch (thrown) {
      stop.throwIfAborted();
      throw new SalvageFailedError(
        `The work of agent "${meta.agentId}" is kept in ${folder}, since it could not be stored in ${meta.gitDir}: ${describeError(thrown)}`,
        { cause: thrown },
      );
    }
  });
}

/** `fault`: why nothing of the repository can be relied on, for a second try without it. */
async function keepWork(
  { entry, folder, meta, hasTree, limits, gitDeadlineMs, signal }: SalvageRequest,
  repository: Repository,
  keep: Keep,
  fault?: string,
): Promise<Salvaged | undefined> {
  const registrations = await keep(asideRegistrations(repository.folder));
  const registration = await keep(
    unless(['ENOENT', 'ENOTDIR'], registrations?.folder(meta.registration) ?? Promise.resolve(undefined)),
  );
  const isolated = fault !== undefined;
  const view = await makeView(folder, repository, {
    isolated,
    head: isolated ? undefined : await headOf(registration),
    exclude: await readExclude(repository.folder),
    deadlineMs: gitDeadlineMs,
    signal,
    user: hasTree ? await ownerOf(entry) : undefined,
  });
  const base = isolated ? undefined : await headCommit(view.call);
  const work = await stageWork(view, join(folder, treeName), hasTree, limits, {
    registration: isolated ? undefined : registration,
    hasHead: base !== undefined,
  });
  const author = { ...view.call, env: { ...view.call.env, ...authorAt(meta.at) } };
  const nested = isolated ? noNested : await nestedRegistrations(repository, meta.path, keep);
  const within = await nestedWork(view, author, nested);
  const own = isolated || registration === undefined ? [] : [registration];
  const { tips, isCut } = await unpushedTips(view.call, [...own, ...nested.found], base);
  const baseTree = base === undefined ? undefined : await treeOf(view.call, base);
  const isClean = work.tree === (baseTree ?? (await emptyTree(view.call)));
  const isStaged = isWorth(work.staged, [baseTree, work.tree]);
  const { changes } = work;
  const unkept = [...(work.isIndexLost ? [lostIndex] : []), ...(isCut ? [cutCommits] : []), ...within.unkept];
  const isAll = changes.leftOut.length === 0 && !changes.isCut && unkept.length === 0;
  if (isClean && !isStaged && isAll && tips.length === 0 && within.staged.length === 0) return undefined;
  const others = tips.filter((tip) => tip !== base);
  const bases = base === undefined ? [] : [base];
  const staged = isStaged ? await commitStaged(author, work.staged, bases) : undefined;
  const rest = await gathered(author, [...others, ...within.staged]);
  const parents = [...bases, ...(staged === undefined ? [] : [staged]), ...rest];
  const renamed = changes.store.filter(hasStoredName);
  const message = messageOf(meta, { base, staged, others, fault, renamed, unkept, ...changes });
  const saved = await commit(author, work.tree, parents, message);
  await movePack(view, repository.folder, saved, [...bases, ...others], keep);
  const taken = await refsOf(view.call, refPatterns(meta.agentId, saved));
  const ref = await writeRef(repository.folder, meta.agentId, saved, taken, keep);
  const { agentId, gitDir } = meta;
  const counts = { files: changes.store.length, bytes: changes.bytes, renamed: renamed.length };
  return { agentId, gitDir, ref, commit: saved, ...counts, leftOut: changes.leftOut.length, unkept };
}

/**
 * Git reads the tree with the rights of its owner, not with root's: somebody who is still at work in it may put a symbolic
 * link to anything in place of a file at any moment.
 */
async function ownerOf(entry: Folder): Promise<User | undefined> {
  const tree = await entry.stat(treeName);
  if (process.getuid?.() !== 0 || tree === undefined || tree.uid === 0n) return undefined;
  return { uid: Number(tree.uid), gid: Number(tree.gid) };
}

/** The repository's own list of what is ignored. */
async function readExclude(repository: Folder): Promise<Buffer | undefined> {
  const info = await repository.folder('info').catch(() => undefined);
  try {
    return await info?.read('exclude', maxExcludeBytes);
  } finally {
    await info?.close();
  }
}
