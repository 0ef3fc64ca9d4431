import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupMounts } from './cgroup-mounts.ts';
import type { Local } from './handle.ts';
import { killAtOnce } from './kill-here.ts';
import { WatchedCgroup } from './watched-cgroup.ts';

/** So many files are held open for blows that have not fallen yet (I12). */
const most = 128;

/** What a blow did, and what shows how it ends; whoever gets that closes it. */
export interface Struck {
  /** Everything in the cgroup was sent SIGKILL. `false`: the machine cannot, or the kernel does not allow it. */
  readonly isStruck: boolean;
  readonly watched: WatchedCgroup | undefined;
}

interface Blow {
  readonly local: Local;
  /** Its `cgroup.kill`, if that could be opened. */
  readonly file: number | undefined;
  readonly fell: (isStruck: boolean) => void;
}

/**
 * SIGKILL to everything in the cgroups of many containers, all in one go. The first who dies wakes its engine's processes, who take
 * processors and locks from those that are still to be struck: so every file is open before the first blow, and nothing else is done
 * between two of them.
 */
export class Blows {
  readonly #mounts: CgroupMounts;
  #drawn: Blow[] = [];

  constructor(mounts: CgroupMounts) {
    this.#mounts = mounts;
  }

  /** Falls together with the others of the same turn. `local` is of this boot and these namespaces. Never rejects. */
  async strike(local: Local): Promise<Struck> {
    const folder = local.cgroup === null ? undefined : this.#mounts.unified(local.cgroup);
    const file = folder === undefined ? undefined : open(join(folder, 'cgroup.kill'));
    const watched = folder === undefined ? undefined : WatchedCgroup.open(folder);
    const isStruck = await new Promise<boolean>((fell) => this.#draw({ local, file, fell }));
    if (isStruck) return { isStruck, watched };
    watched?.close();
    return { isStruck, watched: undefined };
  }

  #draw(blow: Blow): void {
    if (this.#drawn.length === 0) queueMicrotask(() => this.#fall());
    this.#drawn.push(blow);
    if (this.#drawn.length >= most) this.#fall();
  }

  #fall(): void {
    const drawn = this.#drawn;
    this.#drawn = [];
    for (const { local, file, fell } of drawn) fell(write(file) || killAtOnce(local, this.#mounts));
    for (const { file } of drawn) close(file);
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r+');
  } catch {
    return undefined;
  }
}

/** `false`: it was not open, the kernel refuses, or the cgroup is gone by now. */
function write(file: number | undefined): boolean {
  try {
    return file !== undefined && writeSync(file, '1') > 0;
  } catch {
    return false;
  }
}

function close(file: number | undefined): void {
  try {
    if (file !== undefined) closeSync(file);
  } catch {
    // It is closed either way, and what it was for is done.
  }
}
