import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isPopulated, membersOf, subgroups } from './cgroup.ts';
import { cgroupMount } from './cgroup-mount.ts';
import { UncertainVictimError } from './errors.ts';
import { type CgroupRef, folderNames, parentName } from './home.ts';
import type { ProcessStat } from './process-stat.ts';

const maxFolders = 100_000;
/** How long the event loop is held at most before other work gets a turn. */
const sliceMs = 5;

export interface FoundHome {
  readonly ref: CgroupRef;
  /** Whom it can be known by. */
  readonly members: readonly ProcessStat[];
  /** Something lives in it, though nobody who can be seen from this pid namespace. */
  readonly isOpaque: boolean;
}

/** The cgroups that hold agents, of whichever host: by the name of their folder, which tells the agent. */
export interface Homes {
  readonly view: string;
  readonly point: string;
  readonly paths: ReadonlyMap<string, readonly string[]>;
}

/**
 * Walks through all cgroups: an agent may have been started by a host that ran in another one.
 * @throws UncertainVictimError if there are more than can be looked through
 */
export async function listHomes(): Promise<Homes> {
  const { view = '', point = '' } = cgroupMount() ?? {};
  const paths = new Map<string, string[]>();
  const queue = point === '' ? [] : ['/'];
  let sliceEnd = performance.now() + sliceMs;
  for (let looked = 0, path = queue.pop(); path !== undefined; looked += 1, path = queue.pop()) {
    if (looked > maxFolders) {
      throw new UncertainVictimError(`More than ${maxFolders} cgroups to look through for an agent`);
    }
    const holdsAgents = path.endsWith(`/${parentName}`);
    for (const name of namesIn(join(point, path))) {
      const below = join(path, name);
      queue.push(below);
      if (holdsAgents) paths.set(name, [...(paths.get(name) ?? []), below]);
    }
    if (performance.now() > sliceEnd) {
      await nextTurn();
      sliceEnd = performance.now() + sliceMs;
    }
  }
  return { view, point, paths };
}

/** The cgroups of one agent. Only folders of root's or this user's count. @throws the system's error */
export function homesOf(agentId: string, { view, point, paths }: Homes): FoundHome[] {
  const found = folderNames(agentId).flatMap((name) => paths.get(name) ?? []);
  return found.flatMap((path) => {
    const folder = join(point, path);
    const stat = statSync(folder, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return [];
    if (stat.uid !== 0n && stat.uid !== BigInt(process.geteuid?.() ?? 0)) return [];
    const members = membersOf(folder);
    const isOpaque = members.length === 0 && isPopulated(folder);
    return [{ ref: { path, inode: stat.ino.toString(), view }, members, isOpaque }];
  });
}

/** None if it was removed meanwhile, or is not for this user to see: then it is not this host's. */
function namesIn(folder: string): string[] {
  try {
    return subgroups(folder);
  } catch {
    return [];
  }
}
