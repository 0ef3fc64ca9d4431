import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { unless } from './errors.ts';
import type { Folder } from './folder.ts';
import { type GitCall, git } from './git.ts';
import type { View } from './view.ts';
import type { Keep } from './within-folders.ts';

/**
 * Moves everything that a commit needs and the agent's repository has not over into it, as one pack: all of it is there,
 * durably, or nothing.
 */
export async function movePack(
  view: View,
  repository: Folder,
  commit: string,
  without: readonly string[],
  keep: Keep,
): Promise<void> {
  const hash = await pack(view.call, join(view.path, 'out/pack'), commit, without);
  const objects = await keep(repository.folder('objects'));
  const packs = await keep(objects.make('pack', 0o755));
  // The index last: git looks for packs by it.
  for (const suffix of ['.pack', '.idx']) {
    const file = `pack-${hash}${suffix}`;
    // Git's own housekeeping clears away what is called so and old.
    const draft = `tmp_${randomUUID()}`;
    try {
      await packs.copy(join(view.path, 'out', file), draft, 0o444);
      await packs.move(draft, packs, file);
    } finally {
      await unless(['ENOENT'], packs.unlink(draft));
    }
  }
  await packs.sync();
}

/** @returns the pack's hash */
async function pack(
  call: GitCall,
  base: string,
  commit: string,
  without: readonly string[],
): Promise<string> {
  const revisions = [commit, ...without.map((each) => `^${each}`)].join('\n');
  const args = ['pack-objects', '-q', '--revs', '--local', '--delta-base-offset', '--window=0', base];
  const { stdout } = await git(call, args, { input: Buffer.from(`${revisions}\n`) });
  const hash = stdout.toString().trim();
  if (!/^[0-9a-f]{40,64}$/.test(hash))
    throw new Error(`git pack-objects named no pack: ${hash.slice(0, 200)}`);
  return hash;
}
