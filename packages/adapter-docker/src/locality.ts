import { readdirSync } from 'node:fs';
import { pidsIn } from './cgroup.ts';
import { CgroupMounts } from './cgroup-mounts.ts';
import { type CgroupPaths, cgroupPathsOf, containerIdsIn } from './cgroup-path.ts';
import type { Local } from './handle.ts';
import { type Origin, originHere } from './origin.ts';
import { readCgroups, readStat } from './process-stat.ts';

/** How long a scan of `/proc` is good for, in milliseconds. */
const scanMs = 250;

/**
 * What this process can see of containers by itself. That an engine is on this machine is never believed, only seen: a process
 * here whose cgroup names the container's whole id is that container's, whatever the engine's address looks like.
 */
export class Locality {
  readonly mounts: CgroupMounts = CgroupMounts.here();
  readonly #origin: Origin | undefined;
  #ownContainers: ReadonlySet<string> | undefined;
  #scanned: ReadonlyMap<string, readonly number[]> = new Map();
  #scannedAt = Number.NEGATIVE_INFINITY;

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

  /** Looks for a container without being told a pid, through all of `/proc`. */
  find(containerId: string): Local | undefined {
    if (this.#origin === undefined) return undefined;
    for (const pid of this.#scan().get(containerId) ?? []) {
      const found = this.capture(containerId, pid);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether this very process lives in the container: to kill it would leave nobody to say so. */
  isOwn(containerId: string): boolean {
    this.#ownContainers ??= containerIdsIn(tryTo(() => readCgroups('self')) ?? '');
    return this.#ownContainers.has(containerId);
  }

  /** The processes of every container, by its id. Many ask at once while an engine hangs, so a scan serves for a moment. */
  #scan(): ReadonlyMap<string, readonly number[]> {
    if (performance.now() - this.#scannedAt < scanMs) return this.#scanned;
    const found = new Map<string, number[]>();
    for (const pid of pids()) {
      for (const id of containerIdsIn(tryTo(() => readCgroups(pid)) ?? '')) {
        const members = found.get(id);
        if (members === undefined) found.set(id, [pid]);
        else members.push(pid);
      }
    }
    this.#scannedAt = performance.now();
    this.#scanned = found;
    return found;
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

function pids(): number[] {
  return (tryTo(() => readdirSync('/proc')) ?? []).map(Number).filter(Number.isSafeInteger);
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
