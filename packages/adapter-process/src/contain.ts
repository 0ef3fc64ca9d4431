import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Target } from './agent-tree.ts';
import { pidsIn, removeCgroup } from './cgroup.ts';
import { cgroupLines } from './cgroup-lines.ts';
import { type CgroupMount, cgroupMount, pathIn } from './cgroup-mount.ts';
import { systemCode } from './errors.ts';
import { adoptedBelow, type CgroupRef, cgroupRefSchema, homeAround } from './home.ts';
import type { Looker } from './looker.ts';
import { agentsCgroup, makeHome, refTo, sweepHomes } from './make-home.ts';
import { readStat } from './proc.ts';
import type { SeenProcess } from './snapshot.ts';

/** A tree that forks on is whole inside after a few; where processes come and go all the time, more looks show no more. */
const maxLooks = 20;
const unclearLooks = 5;
const returns = 20;

/** A cgroup in which an adopted tree is. */
export interface Contained {
  readonly cgroup: CgroupRef;
  /** When the last of it came in, there was no other process that could be one of its own. */
  readonly complete: boolean;
}

interface Place {
  readonly mount: CgroupMount;
  /** Where the tree was found, as a path below the mount. */
  readonly from: string;
  readonly folder: string;
  readonly ref: CgroupRef;
  /** Made just now: to be taken away again if not everybody comes in. */
  readonly fresh: boolean;
}

/**
 * Moves an adopted process and all that is known of its tree into a cgroup of their own below the one they are in, whose limits
 * and whose end they so keep. What they start from then on is born inside.
 * @returns `undefined` where that cannot be done, or not for all of them: then all are where they were
 */
export async function contain(
  looker: Looker,
  target: Required<Target>,
  signal: AbortSignal,
): Promise<Contained | undefined> {
  const place = placeFor(target);
  if (place === undefined) return undefined;
  try {
    for (let looks = 1; looks <= maxLooks; looks += 1) {
      const { tree, clear } = await looker.look(target, signal);
      const inside = new Set(pidsIn(place.folder));
      const outside = tree.alive.filter(({ pid }) => !inside.has(pid));
      if (outside.length === 0 && (clear || looks >= unclearLooks))
        return { cgroup: place.ref, complete: clear };
      if (tree.holdsSelf || !(await moveAll(outside, place))) break;
    }
  } catch {
    // Not allowed, or out of time.
  }
  if (!place.fresh) return { cgroup: place.ref, complete: false };
  await giveBack(place);
  return undefined;
}

function placeFor({ agentId, root }: Required<Target>): Place | undefined {
  const mount = cgroupMount();
  const path = mount && pathIn(mount, cgroupLines(root.pid) ?? '');
  if (mount === undefined || path === undefined) return undefined;
  try {
    const around = homeAround(path, agentId);
    if (around !== undefined) {
      const parent = agentsCgroup(mount, dirname(dirname(around)));
      const { folder, ref } = refTo(parent, around.slice(parent.path.length + 1));
      return { mount, from: adoptedBelow(path), folder, ref, fresh: false };
    }
    const parent = agentsCgroup(mount, path);
    mkdirSync(parent.folder, { recursive: true });
    sweepHomes(parent);
    const { folder, ref } = makeHome(parent, agentId, 'adopted');
    if (cgroupRefSchema.safeParse(ref).success) return { mount, from: path, folder, ref, fresh: true };
    removeCgroup(folder);
  } catch {
    // Not allowed here, too deep, or the agent has one elsewhere.
  }
  return undefined;
}

/** Whether all came, or were gone. One that is in another cgroup than the rest was put there by somebody, for a reason. */
async function moveAll(processes: readonly SeenProcess[], place: Place): Promise<boolean> {
  for (const process of processes) if (!(await move(process, place))) return false;
  return true;
}

/** @throws the system's error, for example where the cgroup is threaded */
async function move({ pid, startTime }: SeenProcess, place: Place): Promise<boolean> {
  const { mount, from, folder, ref } = place;
  const lines = cgroupLines(pid);
  if (lines === undefined || readStat(pid)?.startTime !== startTime) return true;
  const path = pathIn(mount, lines);
  if (`${path}/`.startsWith(`${ref.path}/`)) return true;
  if (path !== from) return false;
  await enter(folder, pid);
  // Its number was given to a later process just then.
  const moved = readStat(pid)?.startTime ?? startTime;
  if (moved !== startTime) await enter(join(mount.point, from), pid);
  return true;
}

async function giveBack({ mount, from, folder }: Place): Promise<void> {
  try {
    for (let count = 0; count < returns && !removeCgroup(folder); count += 1) {
      for (const pid of pidsIn(folder)) await enter(join(mount.point, from), pid);
    }
  } catch {
    // They may not leave. What lives in there is still found by the name of the cgroup.
  }
}

async function enter(folder: string, pid: number): Promise<void> {
  try {
    await writeFile(join(folder, 'cgroup.procs'), String(pid), { flag: 'r+' });
  } catch (thrown) {
    if (systemCode(thrown) !== 'ESRCH') throw thrown;
  }
}
