import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroup, removeHome } from './cgroup.ts';
import { cgroupMount } from './cgroup-mount.ts';
import { joinCgroup } from './join-cgroup.ts';
import { type AgentsCgroup, agentsCgroup, type MadeCgroup, makeHome, sweepHomes } from './make-home.ts';

/** Folders that were still in use when their agents' first process ended, tried again at each start of another. */
const maxLingering = 10_000;
const retriesPerStart = 4;
const probeMs = 5_000;

/**
 * Makes the cgroups (v2) of the agents that this host starts, one each, below its own: what ends that ends them too. What is
 * born in one cannot leave it by forking, by founding sessions or by wiping its environment; only a process with the right
 * to write to the cgroup file system can move itself out.
 */
export class Cgroups {
  readonly #parent: AgentsCgroup;
  readonly #lingering = new Map<string, MadeCgroup>();

  private constructor(parent: AgentsCgroup) {
    this.#parent = parent;
  }

  /** `undefined` where this process may not make cgroups and have its children join them. Found out by doing it. */
  static here(): Cgroups | undefined {
    const mount = cgroupMount();
    if (mount === undefined) return undefined;
    const parent = agentsCgroup(mount, mount.own);
    const probe = join(parent.folder, `probe-${randomUUID()}`);
    try {
      mkdirSync(probe, { recursive: true });
      const [file, args] = joinCgroup(probe, 'true', []);
      if (spawnSync(file, args, { stdio: 'ignore', timeout: probeMs }).status !== 0) return undefined;
    } catch {
      return undefined;
    } finally {
      removeCgroup(probe);
    }
    sweepHomes(parent);
    return new Cgroups(parent);
  }

  /**
   * Makes an agent's cgroup.
   * @throws the system's error; EEXIST if the agent has one already, in which something lives or may be about to
   */
  create(agentId: string): MadeCgroup {
    this.#tidy();
    return makeHome(this.#parent, agentId, 'agent');
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
}
