import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CgroupMounts } from './cgroup-mounts.ts';
import type { Local } from './handle.ts';

/** Where Docker and Podman put containers, unless they are told otherwise. */
const usual = new Set(['/docker', '/system.slice', '/machine.slice']);

/** Which of the cgroups that name a container is the container's. Anybody who may make cgroups can make one that does. */
export class Places {
  readonly #mounts: CgroupMounts;
  /** Where containers are whose pid an engine has named. Few: an engine has one, and those of `--cgroup-parent`. */
  readonly #known = new Set<string>();

  constructor(mounts: CgroupMounts) {
    this.#mounts = mounts;
  }

  /** Its engine has named this one's pid. */
  note(local: Local): void {
    if (this.#known.size < 1_000) this.#known.add(dirname(placeOf(local)));
  }

  /**
   * The one that is the container's, out of what was found of it: the only one there is, or the only one where its engine has others,
   * or, if nothing is known of it, where engines usually do. Or what is in doubt: then none may be touched.
   */
  choose(found: readonly Local[]): { readonly local: Local } | { readonly doubt: string } {
    const all = new Map<string, Local>();
    // Of one place, the process that is in it in every hierarchy.
    for (const local of found) {
      const before = all.get(placeOf(local));
      if (before === undefined || (!isWhole(before) && isWhole(local))) all.set(placeOf(local), local);
    }
    const owned = [...all.values()].filter((local) => this.#isTrusted(local));
    const known = this.#known.size > 0 ? this.#known : usual;
    const there = owned.filter((local) => known.has(dirname(placeOf(local))));
    const [local, other] = there.length > 0 ? there : owned;
    if (local !== undefined && other === undefined) return { local };
    const places = [...all.keys()].join(', ');
    return {
      doubt:
        local === undefined
          ? `in a cgroup that somebody else may have made: ${places}`
          : `in several cgroups of its name, and whose is in doubt: ${places}`,
    };
  }

  /** Made by root or by this process's user: who owns the folder above decides what is in it. */
  #isTrusted({ cgroup, freezer }: Local): boolean {
    const folder =
      cgroup !== null ? this.#mounts.unified(cgroup) : freezer !== null && this.#mounts.freezer(freezer);
    if (!folder) return false;
    const owner = statSync(dirname(folder), { throwIfNoEntry: false })?.uid;
    return owner === 0 || (owner !== undefined && owner === process.geteuid?.());
  }
}

function isWhole({ cgroup, freezer }: Local): boolean {
  return cgroup !== null && freezer !== null;
}

function placeOf({ cgroup, freezer }: Local): string {
  return cgroup ?? freezer ?? '';
}
