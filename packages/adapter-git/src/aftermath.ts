import { randomUUID } from 'node:crypto';
import { Backoff } from './backoff.ts';
import { deleteTree } from './delete-tree.ts';
import { type EntryMeta, readMeta, salvagedName, treeName, viewPrefix } from './entry.ts';
import { DeletionFailedError, RootRefusedError, SalvageFailedError, unless } from './errors.ts';
import type { Folder } from './folder.ts';
import { mountsIn } from './mounts.ts';
import type { Settings } from './options.ts';
import { asideRegistrations, tidyRegistrations } from './registration.ts';
import { openRepository } from './repository.ts';
import { houseName, openRoot, type Root } from './root.ts';
import { salvage } from './salvage.ts';
import { withinFolders } from './within-folders.ts';

/** A younger entry without a tree is one that a removal may be about to fill. */
const graceMs = 60_000;

/**
 * What is left to do after worktrees were moved aside: salvage, then delete. The folders say what there is to do, so a
 * crash at any point leaves what the next sweep finds.
 *
 * Invariant: at most one sweep is under way. What failed in it is tried again later and later, and by `sweepAll` at once.
 */
export class Aftermath {
  readonly #root: string;
  readonly #settings: Settings & { onProblem: (error: Error) => void };
  readonly #abort = new AbortController();
  /** What has failed, and when it is tried again. */
  readonly #failed: Backoff;
  readonly #ready = new Set<string>();
  #tail: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  constructor(root: string, settings: Settings & { onProblem: (error: Error) => void }) {
    this.#root = root;
    this.#settings = settings;
    this.#failed = new Backoff(settings.retryAfterMs, () => void this.sweep());
  }

  /** Does what there is to do, after what is being done. `ready`: an entry that nobody is filling any more. */
  sweep(ready?: string): Promise<void> {
    if (ready !== undefined) this.#ready.add(ready);
    this.#waiting ??= this.#tail.then(() => {
      this.#waiting = undefined;
      return this.#round();
    });
    this.#tail = this.#waiting;
    return this.#waiting;
  }

  /** Also what has failed before. */
  sweepAll(): Promise<void> {
    this.#failed.hurry();
    return this.sweep();
  }

  async idle(): Promise<void> {
    for (let seen: unknown; seen !== this.#tail; ) {
      seen = this.#tail;
      await this.#tail;
    }
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'));
    this.#failed.close();
    await this.idle();
  }

  async #round(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    await this.#attempt('', () =>
      withinFolders(async (keep) => {
        const root = await openRoot(this.#root, keep);
        for await (const { name } of root.aside.entries()) {
          const entry = name.toString();
          if (!this.#failed.isWaiting(entry)) await this.#attempt(entry, () => this.#finish(root, entry));
        }
        for await (const { name } of root.drafts.entries()) {
          if (!isYoung(await root.drafts.stat(name)))
            await unless(['ENOENT'], root.drafts.move(name, root.trash, randomUUID()));
        }
        for await (const { name } of root.trash.entries()) {
          const key = `trash/${name}`;
          if (!this.#failed.isWaiting(key))
            await this.#attempt(key, async () => {
              await unmounted(`${root.path}/${houseName}/trash/${name}`);
              await deleteTree(root.trash, name, this.#abort.signal);
            });
        }
      }),
    );
  }

  /** Says what went wrong, unless it was asked to stop. */
  async #attempt(key: string, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    try {
      if (signal.aborted) return;
      await work();
      this.#failed.forget(key);
    } catch (thrown) {
      if (signal.aborted) return;
      this.#failed.add(key);
      const isNamed =
        thrown instanceof SalvageFailedError ||
        thrown instanceof DeletionFailedError ||
        thrown instanceof RootRefusedError;
      const error = isNamed
        ? thrown
        : new DeletionFailedError(`${key} stays below ${this.#root}: ${thrown}`, { cause: thrown });
      tell(() => this.#settings.onProblem(error));
    }
  }

  /** One entry, from wherever an earlier attempt got to, until it is in the trash. */
  #finish(root: Root, name: string): Promise<void> {
    return withinFolders(async (keep) => {
      const entry = await keep(unless(['ENOENT'], root.aside.folder(name)));
      if (entry === undefined) return;
      const meta = await readMeta(entry);
      await unmounted(`${root.path}/${houseName}/aside/${name}`);
      const tree = await entry.stat(treeName);
      if (tree === undefined && !this.#ready.has(name) && isYoung(await root.aside.stat(name))) return;
      if (meta !== undefined && (await entry.stat(salvagedName)) === undefined)
        await this.#salvage(root, name, entry, meta, tree?.isDirectory() === true);
      if (meta === undefined && tree !== undefined)
        throw new SalvageFailedError(
          `${name} is kept aside below ${this.#root}: its meta.json is unreadable`,
        );
      this.#ready.delete(name);
      if (meta !== undefined) await this.#forget(meta);
      await unless(['ENOENT'], root.aside.move(name, root.trash, randomUUID()));
    });
  }

  async #salvage(root: Root, name: string, entry: Folder, meta: EntryMeta, hasTree: boolean): Promise<void> {
    const { salvage: limits, gitDeadlineMs, onSalvage } = this.#settings;
    if (limits !== false) {
      for await (const { name: view } of entry.entries()) {
        if (view.toString().startsWith(viewPrefix)) await entry.move(view, root.trash, randomUUID());
      }
      const folder = `${root.path}/${houseName}/aside/${name}`;
      const { signal } = this.#abort;
      const salvaged = await salvage({ entry, folder, meta, hasTree, limits, gitDeadlineMs, signal });
      if (salvaged !== undefined) tell(() => onSalvage?.(salvaged));
    }
    await unless(['EEXIST'], entry.write(salvagedName, '', { durable: true }));
  }

  /** The registration's last trace in the repository. */
  #forget(meta: EntryMeta): Promise<void> {
    return withinFolders(async (keep) => {
      const repository = await openRepository(meta.gitDir, keep).catch(() => undefined);
      if (repository === undefined) return;
      const registrations = await keep(asideRegistrations(repository.folder));
      if (registrations === undefined) return;
      await deleteTree(registrations, meta.registration, this.#abort.signal);
      await tidyRegistrations(repository.folder);
    });
  }
}

function isYoung(stat: { readonly ctimeMs: bigint } | undefined): boolean {
  return stat !== undefined && Date.now() - Number(stat.ctimeMs) < graceMs;
}

/** @throws DeletionFailedError if something is mounted at or below the path */
async function unmounted(path: string): Promise<void> {
  const [mount] = await mountsIn(path);
  if (mount !== undefined) throw new DeletionFailedError(`${path} stays: unmount ${mount.path}`);
}

/** A listener's fault is its own. */
function tell(listener: () => void): void {
  try {
    listener();
  } catch {
    // Nobody is left to tell.
  }
}
