import { join } from 'node:path';
import type { Folder } from './folder.ts';
import type { GitCall } from './git.ts';
import { headCommit, headOf } from './salvage-commits.ts';
import { readStaged, type Staged } from './salvage-index.ts';
import { commit, treeOf } from './salvage-objects.ts';
import type { View } from './view.ts';

/** Whether an index holds anything that none of these trees has. */
export function isWorth(
  staged: Staged | undefined,
  trees: readonly (string | undefined)[],
): staged is Staged {
  return staged !== undefined && (staged.sides.length > 0 || !trees.includes(staged.tree));
}

/** What was staged as a commit; the sides of a conflict as parents of it, after what it is based on. */
export async function commitStaged(
  call: GitCall,
  { tree, sides }: Staged,
  bases: readonly string[],
): Promise<string> {
  const parents = [...bases];
  for (const side of sides) parents.push(await commit(call, side.tree, [], `In conflict: ${side.name}\n`));
  return commit(call, tree, parents, 'Staged\n');
}

/**
 * What was staged in worktrees that were made within the agent's, as commits. Their files are in its tree, their commits
 * found as its own are.
 */
export async function nestedWork(
  view: View,
  author: GitCall,
  { found, isCut }: { readonly found: readonly Folder[]; readonly isCut: boolean },
): Promise<{ staged: string[]; unkept: string[] }> {
  const work = { staged: [] as string[], unkept: [] as string[] };
  for (const [at, registration] of found.entries()) {
    const scratch = join(view.path, `index/nested-${at}`);
    const staged = await readStaged(view, scratch, registration, `nested-${at}`).catch(() => {
      view.call.signal.throwIfAborted();
      return 'lost' as const;
    });
    if (staged === 'lost') work.unkept.push('what was staged in a worktree within it');
    if (typeof staged === 'string') continue;
    const said = await headOf(registration);
    const head = said === undefined ? undefined : await headCommit(view.call, said);
    const trees = head === undefined ? [] : [await treeOf(view.call, head)];
    if (isWorth(staged, trees))
      work.staged.push(await commitStaged(author, staged, head === undefined ? [] : [head]));
  }
  if (isCut) work.unkept.push('commits and staged work of more worktrees within it');
  return work;
}
