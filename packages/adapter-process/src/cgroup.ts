import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from './errors.ts';

const parentName = 'agent-killswitch';
/** A folder younger than this may belong to an agent that is just being started. */
const sweepAfterMs = 60_000;

/**
 * The cgroups (v2) of this host's agents, one each. What is born in one cannot leave it by forking, by founding sessions or
 * by wiping its environment; only a process with the right to write to the cgroup file system can move itself out.
 */
export class Cgroups {
  /** Absolute, in the cgroup file system. */
  readonly #parent: string;

  private constructor(parent: string) {
    this.#parent = parent;
  }

  /** `undefined` where this process may not make cgroups, or the machine has no cgroup v2. */
  static here(): Cgroups | undefined {
    const own = ownCgroup();
    if (own === undefined) return undefined;
    const parent = join(own, parentName);
    try {
      mkdirSync(parent, { recursive: true });
      const probe = join(parent, `probe-${process.pid}`);
      mkdirSync(probe);
      rmdirSync(probe);
    } catch {
      return undefined;
    }
    const cgroups = new Cgroups(parent);
    cgroups.#sweep();
    return cgroups;
  }

  /** The folder of an agent's cgroup. An id cannot hold a separator. */
  pathOf(agentId: string): string {
    return join(this.#parent, `agent-${agentId}`);
  }

  /** Makes an agent's cgroup. @throws the system's error, also if one is there that somebody lives in. */
  create(agentId: string): string {
    const path = this.pathOf(agentId);
    // What is left of an earlier agent goes if it is empty; if it is not, this fails and so does the next.
    remove(path);
    mkdirSync(path);
    return path;
  }

  /** Removes empty cgroups that an earlier life of a host left behind. The kernel refuses to remove others. */
  #sweep(): void {
    for (const name of readdirSync(this.#parent)) {
      const path = join(this.#parent, name);
      // Another host may remove it at this very moment.
      const stat = name.startsWith('agent-') ? statSync(path, { throwIfNoEntry: false }) : undefined;
      if (stat !== undefined && Date.now() - stat.mtimeMs > sweepAfterMs) remove(path);
    }
  }
}

/** Sends SIGKILL to everything in the cgroup and below, at once. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    // Gone, or a kernel before 5.14: each of them, again and again as the killswitch asks again.
    for (const pid of pidsIn(path)) process.kill(pid, 'SIGKILL');
  }
}

/** Whether anything in the cgroup or below lives. One that is gone is empty: the kernel removes none that is not. */
export function isPopulated(path: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(join(path, 'cgroup.events'), 'latin1'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENODEV') return false;
    throw error;
  }
}

/** Who lives in the cgroup and below, as far as this can be read. */
export function pidsIn(path: string): number[] {
  try {
    const own = readFileSync(join(path, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number);
    const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap((entry) => pidsIn(join(path, entry.name)))];
  } catch {
    return [];
  }
}

/** Removes an empty cgroup with what is below it; leaves any other. */
export function remove(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // In use, or gone already.
  }
}

/** The folder of the cgroup that this process is in: agents below it end with it where a service manager ends it. */
function ownCgroup(): string | undefined {
  try {
    const mount = readFileSync('/proc/self/mountinfo', 'latin1')
      .split('\n')
      .find((line) => / - cgroup2 /.test(line));
    const point = mount?.split(' ')[4];
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'latin1'))?.[1];
    return point === undefined || path === undefined ? undefined : join(point, path);
  } catch {
    return undefined;
  }
}
