import { pidsIn } from './cgroup.ts';
import { CgroupMounts } from './cgroup-mounts.ts';
import { type CgroupPaths, cgroupPathsOf, containerIdsIn } from './cgroup-path.ts';
import type { Local } from './handle.ts';
import { type Origin, originHere } from './origin.ts';
import { Places } from './places.ts';
import { ProcessScan } from './process-scan.ts';
import { readCgroups, readStat } from './process-stat.ts';

/** What a look through all of `/proc` has found of a container. */
export interface Sighting {
  /** Its living processes. */
  readonly pids: readonly number[];
  /** How it is reached, if it can be reached from here. */
  readonly local: Local | undefined;
  /** Why it is not clear which of them are the container's, if it is not: they are not to be touched. */
  readonly doubt: string | undefined;
}

/**
 * What this process can see of containers by itself. That an engine is on this machine is never believed, only seen: a process
 * here whose cgroup names the container's whole id is that container's, whatever the engine's address looks like.
 */
export class Locality {
  readonly mounts: CgroupMounts = CgroupMounts.here();
  readonly #origin: Origin | undefined;
  #ownContainers: ReadonlySet<string> | undefined;
  readonly #places = new Places(this.mounts);
  readonly #scan = new ProcessScan();

  /** @param isOff sees nothing here */
  constructor(isOff: boolean) {
    this.#origin = isOff ? undefined : originHere();
  }

  /** Whether a handle's local part was made where this process is, on this boot. */
  isHere(local: Local): boolean {
    return local.bootId === this.#origin?.bootId && local.namespaces === this.#origin.namespaces;
  }

  /** The local part for a container whose engine says that this is its first process; `undefined` if that is not seen here. */
  capture(containerId: string, pid: number): Local | undefined {
    const local = this.#localOf(containerId, pid);
    if (local !== undefined) this.#places.note(local);
    return local;
  }

  #localOf(containerId: string, pid: number): Local | undefined {
    if (this.#origin === undefined || pid <= 1) return undefined;
    try {
      const before = readStat(pid);
      const paths = this.#seen(cgroupPathsOf(readCgroups(pid) ?? '', containerId), pid);
      const after = readStat(pid);
      // The same process all the while, so the cgroups that were read are its own.
      if (before === undefined || !after?.alive || before.startTime !== after.startTime) return undefined;
      if (paths.cgroup === null && paths.freezer === null) return undefined;
      return { ...this.#origin, pid, startTime: after.startTime, ...paths };
    } catch {
      return undefined;
    }
  }

  /**
   * Looks for a container without being told a pid, through all of `/proc`. `undefined` if nothing can be seen from here.
   * @throws the system's error if `/proc` cannot be read.
   */
  async search(containerId: string): Promise<Sighting | undefined> {
    if (this.#origin === undefined) return undefined;
    const pids = await this.#scan.pidsOf(containerId);
    const found = this.#localsOf(containerId, pids);
    if (found.length === 0) return { pids, local: undefined, doubt: undefined };
    return { pids, local: undefined, doubt: undefined, ...this.#places.choose(found) };
  }

  /** One for each pair of cgroups: a container may have thousands of processes. */
  #localsOf(containerId: string, pids: readonly number[]): readonly Local[] {
    const found = new Map<string, Local>();
    for (const pid of pids) {
      const { cgroup, freezer } = cgroupPathsOf(tryTo(() => readCgroups(pid)) ?? '', containerId);
      const pair = `${cgroup} ${freezer}`;
      const local = found.has(pair) ? undefined : this.#localOf(containerId, pid);
      if (local !== undefined) found.set(pair, local);
    }
    return [...found.values()];
  }

  /** Whether this very process lives in the container: to kill it would leave nobody to say so. */
  isOwn(containerId: string): boolean {
    this.#ownContainers ??= containerIdsIn(tryTo(() => readCgroups('self')) ?? '');
    return this.#ownContainers.has(containerId);
  }

  /** Those of the paths that lead, from here, to cgroups in which the process really is. */
  #seen({ cgroup, freezer }: CgroupPaths, pid: number): CgroupPaths {
    const holds = (folder: string | undefined): boolean =>
      folder !== undefined && pidsIn(folder).includes(pid);
    return {
      cgroup: cgroup !== null && holds(this.mounts.unified(cgroup)) ? cgroup : null,
      freezer: freezer !== null && holds(this.mounts.freezer(freezer)) ? freezer : null,
    };
  }
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
