import { randomUUID } from 'node:crypto';
import { describeError } from '@agent-killswitch/core';
import { DeletionFailedError, systemCode, unless } from './errors.ts';
import type { Folder, Name } from './folder.ts';

/** Folders are held open down to this depth; what lies deeper is first moved up. */
const maxDepth = 24;
const maxRounds = 5;
const ownerRights = 0o700n;

/**
 * Deletes what bears the name in `place`, of whatever kind, depth and size: never through a symbolic link, never across
 * a mount, also where its owner took their own rights away. Already gone is success.
 * @throws DeletionFailedError naming the first thing that stays; all else is gone.
 */
export async function deleteTree(place: Folder, name: Name, signal: AbortSignal): Promise<void> {
  const work: Work = { place, mount: await place.mount(), signal, lifted: [], failures: 0 };
  await remove(place, name, 0, work);
  for (let next = work.lifted.pop(); next !== undefined; next = work.lifted.pop())
    await remove(place, next, 0, work);
  const { failures, cause } = work;
  if (failures === 0) return;
  throw new DeletionFailedError(
    `${failures} things in ${Buffer.from(name)} stay, the first with: ${describeError(cause)}`,
    { cause },
  );
}

interface Work {
  /** Where the tree lies, and what lies too deep is moved to. */
  readonly place: Folder;
  readonly mount: string;
  readonly signal: AbortSignal;
  readonly lifted: Name[];
  failures: number;
  cause?: unknown;
}

async function remove(parent: Folder, name: Name, depth: number, work: Work): Promise<void> {
  work.signal.throwIfAborted();
  try {
    const stat = await parent.stat(name);
    if (stat === undefined) return;
    if (!stat.isDirectory()) await parent.unlink(name);
    else if (depth > maxDepth) await lift(parent, name, work);
    else {
      const isFree = (stat.mode & ownerRights) === ownerRights;
      await removeFolder(parent, name, depth, work, isFree);
    }
  } catch (thrown) {
    if (work.signal.aborted) throw thrown;
    if (systemCode(thrown) === 'ENOENT') return;
    work.cause ??= thrown;
    work.failures += 1;
  }
}

async function removeFolder(
  parent: Folder,
  name: Name,
  depth: number,
  work: Work,
  isFree: boolean,
): Promise<void> {
  for (let round = 1; ; round++) {
    const before = work.failures;
    await empty(parent, name, depth, work, isFree);
    try {
      return await parent.rmdir(name);
    } catch (thrown) {
      // Somebody may have written into it meanwhile, for example a git that outlived its service.
      const isRefilled = systemCode(thrown) === 'ENOTEMPTY' && work.failures === before;
      if (!isRefilled || round === maxRounds) throw thrown;
    }
  }
}

async function empty(parent: Folder, name: Name, depth: number, work: Work, isFree: boolean): Promise<void> {
  const folder = await parent.folder(name, { force: true });
  try {
    if ((await folder.mount()) !== work.mount)
      throw new DeletionFailedError(`${Buffer.from(name)} is a mount point: unmount it`);
    // Without the right to write and search, its entries could be listed and not removed.
    if (!isFree) await unless(['EPERM', 'EROFS'], folder.giveRights());
    for await (const entry of folder.entries()) await remove(folder, entry.name, depth + 1, work);
  } finally {
    await folder.close();
  }
}

async function lift(parent: Folder, name: Name, { place, lifted }: Work): Promise<void> {
  const newName = `lifted-${randomUUID()}`;
  // A folder that changes its parent must be writable itself.
  const folder = await parent.folder(name, { force: true });
  try {
    await unless(['EPERM', 'EROFS'], folder.giveRights());
  } finally {
    await folder.close();
  }
  await parent.move(name, place, newName);
  lifted.push(newName);
}
