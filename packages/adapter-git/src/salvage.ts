import { join } from 'node:path';
import { describeError } from '@agent-killswitch/core';
import { type EntryMeta, treeName } from './entry.ts';
import { GitFailedError, SalvageFailedError, unless, WorktreeBusyError } from './errors.ts';
import type { Folder } from './folder.ts';
import { type GitCall, git, type User } from './git.ts';
import type { SalvageLimits } from './options.ts';
import { asideRegistrations } from './registration.ts';
import { openRepository, type Repository } from './repository.ts';
import { headCommit, headOf, maxParents, unpushedTips } from './salvage-commits.ts';
import { type Changes, checkAtRest, findChanges, stage } from './salvage-files.ts';
import { isRestorable, prepareIndex, unhide, verify } from './salvage-index.ts';
import { messageOf } from './salvage-message.ts';
import { movePack } from './salvage-pack.ts';
import { refPatterns, writeRef } from './salvage-ref.ts';
import { hasStoredName } from './stored-name.ts';
import { makeView, type View } from './view.ts';
import { type Keep, withinFolders } from './within-folders.ts';

const maxExcludeBytes = 1_048_576;
/** All of one salvage may take as long as this many calls of git that run into their deadline. */
const maxCalls = 5;
/** How often a tree that changes meanwhile is looked at. */
const maxLooks = 3;

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
  const tips = isolated ? [] : await unpushedTips(view.call, registration, base);
  const baseTree = base === undefined ? undefined : await treeOf(view.call, base);
  const isClean = work.tree === (baseTree ?? (await emptyTree(view.call)));
  const isStaged = work.staged !== undefined && work.staged !== baseTree && work.staged !== work.tree;
  const isAll = work.changes.leftOut.length === 0 && !work.changes.isCut;
  if (isClean && !isStaged && isAll && tips.length === 0) return undefined;
  const others = tips.filter((tip) => tip !== base).slice(0, maxParents);
  const author = { ...view.call, env: { ...view.call.env, ...authorAt(meta.at) } };
  const bases = base === undefined ? [] : [base];
  const staged = isStaged ? await commit(author, work.staged ?? '', bases, 'Staged\n') : undefined;
  const parents = [...bases, ...(staged === undefined ? [] : [staged]), ...others];
  const renamed = work.changes.store.filter(hasStoredName);
  const message = messageOf(meta, { base, staged, others, fault, renamed, ...work.changes });
  const saved = await commit(author, work.tree, parents, message);
  await movePack(view, repository.folder, saved, [...bases, ...others], keep);
  const taken = await refsOf(view.call, refPatterns(meta.agentId, saved));
  const ref = await writeRef(repository.folder, meta.agentId, saved, taken, keep);
  const { store, bytes, leftOut } = work.changes;
  const { agentId, gitDir } = meta;
  const counts = { files: store.length, bytes, renamed: renamed.length, leftOut: leftOut.length };
  return { agentId, gitDir, ref, commit: saved, ...counts };
}

const noChanges: Changes = { store: [], bytes: 0, removed: [], leftOut: [], isCut: false };

/** The working tree, and what was staged, as trees in the view. */
async function stageWork(
  view: View,
  tree: string,
  hasTree: boolean,
  limits: SalvageLimits,
  from: { readonly registration: Folder | undefined; readonly hasHead: boolean },
): Promise<{ tree: string; staged: string | undefined; changes: Changes }> {
  const indexFile = join(view.path, 'index/index');
  const env = { ...view.call.env, GIT_INDEX_FILE: indexFile };
  const call: GitCall = {
    ...view.call,
    ...(hasTree ? { cwd: tree, env: { ...env, GIT_WORK_TREE: tree } } : { env }),
  };
  const staged = await prepareIndex(call, indexFile, from.registration, from.hasHead);
  let changes = noChanges;
  if (hasTree) {
    await unhide(call, tree);
    changes = await stageAtRest(call, tree, limits).catch(async (thrown) => {
      // Names that git holds and never finds look as if somebody took them away.
      await soundTree(call, indexFile);
      throw thrown;
    });
    if (from.hasHead) await verify(call);
  }
  return { tree: await soundTree(call, indexFile), staged, changes };
}

/** The index as a tree. @throws GitFailedError if it cannot be checked out again */
async function soundTree(call: GitCall, indexFile: string): Promise<string> {
  const tree = (await git(call, ['write-tree'])).stdout.toString().trim();
  if (await isRestorable(call, tree, `${indexFile}-scratch`)) return tree;
  throw new GitFailedError('Its index holds forbidden names');
}

/**
 * Somebody may go on writing for a moment after the agent's death: what is found has to be all there is.
 * @throws WorktreeBusyError if they do not stop
 */
async function stageAtRest(call: GitCall, tree: string, limits: SalvageLimits): Promise<Changes> {
  for (let look = 1; ; look++) {
    const changes = await findChanges(call, tree, limits);
    try {
      await stage(call, changes);
      await checkAtRest(call, tree, changes);
      return changes;
    } catch (thrown) {
      if (!(thrown instanceof WorktreeBusyError) || look === maxLooks) throw thrown;
    }
  }
}

async function commit(
  call: GitCall,
  tree: string,
  parents: readonly string[],
  message: string,
): Promise<string> {
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
  return (await git(call, args, { input: Buffer.from(message) })).stdout.toString().trim();
}

async function treeOf(call: GitCall, commit: string): Promise<string> {
  return (await git(call, ['rev-parse', '--verify', `${commit}^{tree}`])).stdout.toString().trim();
}

async function emptyTree(call: GitCall): Promise<string> {
  return (await git(call, ['hash-object', '-t', 'tree', '--stdin'])).stdout.toString().trim();
}

/** What the refs that match point to. */
async function refsOf(call: GitCall, patterns: readonly string[]): Promise<Map<string, string>> {
  const { stdout } = await git(call, ['for-each-ref', '--format=%(refname) %(objectname)', ...patterns]);
  const lines = stdout.toString().split('\n').filter(Boolean);
  return new Map(lines.map((line) => line.split(' ', 2) as [string, string]));
}

function authorAt(at: number): Record<string, string> {
  const date = `${Math.floor(at / 1_000)} +0000`;
  const who = { NAME: 'agent-killswitch', EMAIL: 'agent-killswitch@localhost', DATE: date };
  return Object.fromEntries(
    Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
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
