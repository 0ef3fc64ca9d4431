import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroup, subgroups } from './cgroup.ts';
import type { CgroupMount } from './cgroup-mount.ts';
import { systemCode } from './errors.ts';
import { type CgroupRef, folderName, type HomeKind, parentName } from './home.ts';

/** A folder younger than this may belong to an agent that is just being started, by this host or another. */
const staleMs = 60_000;

/** The cgroup below another one that holds agents' cgroups. */
export interface AgentsCgroup {
  readonly folder: string;
  readonly path: string;
  readonly view: string;
}

/** A cgroup made for one agent, before anything lives in it. */
export interface MadeCgroup {
  readonly folder: string;
  readonly ref: CgroupRef;
}

/** @param path of the cgroup below which it is */
export function agentsCgroup({ point, view }: CgroupMount, path: string): AgentsCgroup {
  const own = `${path === '/' ? '' : path}/${parentName}`;
  return { folder: join(point, own), path: own, view };
}

/**
 * Makes an agent's cgroup.
 * @throws the system's error; EEXIST if the agent has one already, in which something lives or may be about to
 */
export function makeHome(parent: AgentsCgroup, agentId: string, kind: HomeKind): MadeCgroup {
  const name = folderName(agentId, kind);
  const folder = join(parent.folder, name);
  try {
    mkdirSync(folder);
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST' || !isStale(folder) || !removeCgroup(folder)) throw thrown;
    mkdirSync(folder);
  }
  return refTo(parent, name);
}

/** @throws the system's error */
export function refTo({ folder, path, view }: AgentsCgroup, name: string): MadeCgroup {
  const inode = statSync(join(folder, name), { bigint: true }).ino.toString();
  return { folder: join(folder, name), ref: { path: `${path}/${name}`, inode, view } };
}

/** Removes empty cgroups that an earlier life of a host left behind. The kernel refuses to remove others. */
export function sweepHomes({ folder }: AgentsCgroup): void {
  try {
    for (const name of subgroups(folder)) {
      const home = join(folder, name);
      if (isStale(home)) removeCgroup(home);
    }
  } catch {
    // Another host sweeps at the same time. What is left is left to the next start.
  }
}

function isStale(folder: string): boolean {
  try {
    return Date.now() - statSync(folder).mtimeMs > staleMs;
  } catch {
    return false;
  }
}
