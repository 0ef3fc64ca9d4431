import { join } from 'node:path';
import { WorktreeBusyError } from './errors.ts';
import type { Folder } from './folder.ts';
import type { GitCall } from './git.ts';
import type { SalvageLimits } from './options.ts';
import { type Changes, checkAtRest, findChanges, stage } from './salvage-files.ts';
import { prepareIndex, readStaged, type Staged, soundTree, verify } from './salvage-index.ts';
import type { View } from './view.ts';

/** How often a tree that changes meanwhile is looked at. */
const maxLooks = 3;
const noChanges: Changes = { store: [], bytes: 0, removed: [], leftOut: [], isCut: false, folders: '' };

/** A worktree in a view. */
export interface Work {
  /** The working tree, as a tree. */
  readonly tree: string;
  readonly staged: Staged | undefined;
  readonly changes: Changes;
  /** It has an index that cannot be read: that of HEAD was taken in its place. */
  readonly isIndexLost: boolean;
}

/** The working tree, and what was staged, as trees in the view. */
export async function stageWork(
  view: View,
  tree: string,
  hasTree: boolean,
  limits: SalvageLimits,
  from: { readonly registration: Folder | undefined; readonly hasHead: boolean },
): Promise<Work> {
  const indexFile = join(view.path, 'index/index');
  const read = await readStaged(view, `${indexFile}-staged`, from.registration, 'agents-index');
  const staged = typeof read === 'string' ? undefined : read;
  const env = { ...view.call.env, GIT_INDEX_FILE: indexFile };
  const call: GitCall = {
    ...view.call,
    ...(hasTree ? { cwd: tree, env: { ...env, GIT_WORK_TREE: tree } } : { env }),
  };
  await prepareIndex(call, hasTree ? tree : undefined, staged?.entries, from.hasHead);
  let changes = noChanges;
  if (hasTree) {
    changes = await stageAtRest(call, tree, limits).catch(async (thrown) => {
      // Names that git holds and never finds look as if somebody took them away.
      await soundTree(call);
      throw thrown;
    });
    if (from.hasHead) await verify(call);
  }
  return { tree: await soundTree(call), staged, changes, isIndexLost: read === 'lost' };
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
