import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroup, removeHome, subgroups } from './cgroup.ts';
import { cgroupMount } from './cgroup-mount.ts';
import { systemCode } from './errors.ts';
import { type CgroupRef, folderName, parentName } from './home.ts';
import { joinCgroup } from './join-cgroup.ts';

/** A folder younger than this may belong to an agent that is just being started, by this host or another. */
const staleMs = 60_000;
/** Folders that were still in use when their agents' first process ended, tried again at each start of another. */
const maxLingering = 10_000;
const retriesPerStart = 4;
const probeMs = 5_000;

/** A cgroup made for one agent, before anything lives in it. */
export interface MadeCgroup {
  readonly folder: string;
  readonly ref: CgroupRef;
}

/**
 * Makes the cgroups (v2) of the agents that this host starts, one each, below its own: what ends that ends them too. What is
 * born in one cannot leave it by forking, by founding sessions or by wiping its environment; only a process with the right
 * to write to the cgroup file system can move itself out.
 */
export class Cgroups {
  readonly #parent: string;
  readonly #path: string;
  readonly #view: string;
  readonly #lingering = new Map<string, MadeCgroup>();

  private constructor(parent: string, path: string, view: string) {
    this.#parent = parent;
    this.#path = path;
    this.#view = view;
  }

  /** `undefined` where this process may not make cgroups and have its children join them. Found out by doing it. */
  static here(): Cgroups | undefined {
    const mount = cgroupMount();
    if (mount === undefined) return undefined;
    const path = `${mount.own === '/' ? '' : mount.own}/${parentName}`;
    const parent = join(mount.point, path);
    const probe = join(parent, `probe-${randomUUID()}`);
    try {
      mkdirSync(parent, { recursive: true });
      mkdirSync(probe);
      const [file, args] = joinCgroup(probe, 'true', []);
      if (spawnSync(file, args, { stdio: 'ignore', timeout: probeMs }).status !== 0) return undefined;
    } catch {
      return undefined;
    } finally {
      removeCgroup(probe);
    }
    const cgroups = new Cgroups(parent, path, mount.view);
    cgroups.#sweep();
    return cgroups;
  }

  /**
   * Makes an agent's cgroup.
   * @throws the system's error; EEXIST if the agent has one already, in which something lives or may be about to
   */
  create(agentId: string): MadeCgroup {
    this.#tidy();
    const name = folderName(agentId);
    const folder = join(this.#parent, name);
    try {
      mkdirSync(folder);
    } catch (thrown) {
      if (systemCode(thrown) !== 'EEXIST' || !isStale(folder) || !removeCgroup(folder)) throw thrown;
      mkdirSync(folder);
    }
    const inode = statSync(folder, { bigint: true }).ino.toString();
    return { folder, ref: { path: `${this.#path}/${name}`, inode, view: this.#view } };
  }

  /** Removes the cgroup once nothing lives in it: now, or after a later start. */
  release(made: MadeCgroup): void {
    if (!removeHome(made.folder, made.ref.inode) && this.#lingering.size < maxLingering) {
      this.#lingering.set(made.folder, made);
    }
  }

  /** In turn, so that a start never costs more for many that live on. */
  #tidy(): void {
    const oldest = [];
    for (const made of this.#lingering.values()) {
      if (oldest.push(made) === retriesPerStart) break;
    }
    for (const made of oldest) {
      this.#lingering.delete(made.folder);
      this.release(made);
    }
  }

  /** Removes empty cgroups that an earlier life of a host left behind. The kernel refuses to remove others. */
  #sweep(): void {
    try {
      for (const name of subgroups(this.#parent)) {
        const folder = join(this.#parent, name);
        if (isStale(folder)) removeCgroup(folder);
      }
    } catch {
      // Another host sweeps at the same time. What is left is left to the next start.
    }
  }
}

function isStale(folder: string): boolean {
  try {
    return Date.now() - statSync(folder).mtimeMs > staleMs;
  } catch {
    return false;
  }
}
