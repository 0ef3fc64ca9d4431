import { randomUUID } from 'node:crypto';
import { idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import { unless } from './errors.ts';
import type { Folder } from './folder.ts';
import { reachable } from './root.ts';

const metaName = 'meta.json';
const maxMetaBytes = 65_536;
const maxEntries = 99;

/** What is known of a worktree that was moved aside: all that is needed to go on after a crash. */
const metaSchema = z.object({
  version: z.literal(1),
  agentId: idSchema,
  taskId: idSchema,
  path: z.string(),
  gitDir: z.string(),
  /** When it was moved aside. It is also the date of the salvage, so that making that twice gives the same commit. */
  at: z.number().int().nonnegative(),
  /** The name under which its registration waits in the repository. */
  registration: z.uuid(),
});
export type EntryMeta = z.infer<typeof metaSchema>;

/**
 * An entry of `aside`, in the order in which it comes about and goes:
 * `meta.json`, the registration moved to its place in the repository, `tree` (the worktree itself), `view-…` (see
 * `view.ts`), `salvaged` (empty: nothing more to salvage), then all of it moved to `trash`.
 */
export const treeName = 'tree';
export const viewPrefix = 'view-';
export const salvagedName = 'salvaged';

/** Opens the entry into which this worktree goes: a new one, or the one that a crash left without it. */
export async function entryFor(
  aside: Folder,
  wanted: Omit<EntryMeta, 'version' | 'registration'>,
): Promise<{ name: string; entry: Folder; meta: EntryMeta }> {
  for (let count = 1; count <= maxEntries; count++) {
    const name = nameOf(wanted.agentId, count);
    const entry = await aside.make(name, reachable);
    const meta = (await readMeta(entry)) ?? (await writeMeta(entry, wanted));
    const isFree =
      (await entry.stat(treeName)) === undefined && (await entry.stat(salvagedName)) === undefined;
    if (isFree && meta.gitDir === wanted.gitDir && meta.path === wanted.path) return { name, entry, meta };
    await entry.close();
  }
  throw new Error(`${maxEntries} worktrees of agent "${wanted.agentId}" wait to be salvaged`);
}

/** The name of an agent's entry that has no tree in it; `undefined` if there is none. */
export async function treeless(aside: Folder, agentId: string): Promise<string | undefined> {
  for (let count = 1; count <= maxEntries; count++) {
    const name = nameOf(agentId, count);
    const entry = await unless(['ENOENT'], aside.folder(name));
    if (entry === undefined) return undefined;
    try {
      if ((await entry.stat(treeName)) === undefined) return name;
    } finally {
      await entry.close();
    }
  }
  return undefined;
}

function nameOf(agentId: string, count: number): string {
  return count === 1 ? agentId : `${agentId}%${count}`;
}

/** `undefined` if it has none that can be read. */
export async function readMeta(entry: Folder): Promise<EntryMeta | undefined> {
  const content = await entry.read(metaName, maxMetaBytes);
  try {
    return metaSchema.safeParse(JSON.parse(content?.toString() ?? '')).data;
  } catch {
    return undefined;
  }
}

async function writeMeta(
  entry: Folder,
  wanted: Omit<EntryMeta, 'version' | 'registration'>,
): Promise<EntryMeta> {
  const meta: EntryMeta = { version: 1, ...wanted, registration: randomUUID() };
  const draft = `draft-${randomUUID()}`;
  // Not waited for the disk: the kill waits for this. A power failure may cost it, and then the entry is kept and named.
  await entry.write(draft, JSON.stringify(meta));
  // The first of two wins, and both go on with the same.
  await unless(['EEXIST'], entry.link(draft, entry, metaName));
  await entry.unlink(draft);
  return (await readMeta(entry)) ?? meta;
}
