import { setTimeout as pause } from 'node:timers/promises';
import { isPopulated, killCgroup } from './cgroup.ts';
import type { CgroupMount } from './cgroup-mount.ts';
import type { Children } from './children.ts';
import { isBornInside, type ProcessHandle } from './handle.ts';
import type { Home } from './home.ts';
import { readStat } from './proc.ts';
import { killGroup } from './signal.ts';
import { stepOut } from './step-out.ts';

/** The process group gets so long to die of its signal. What lives on in the cgroup is then killed by that. */
const groupMs = 5;
/** Between looks at whether the cgroup is empty. After the last one the rest is left to the search for processes. */
const pausesMs = [2, 8, 32, 128];

/**
 * Kills all that lives in an agent's cgroup, and gives it some time to die: a search for its processes costs least when they
 * are gone. When a thousand agents are killed at once, all their process groups are signalled in one turn of the event loop,
 * and most cgroups are empty when their turn comes; the kernel takes ten times as long to kill one.
 * @param findHome its cgroup now; throws if this very process is in it and cannot leave
 * @param belongs the cgroup of this process before any agent could have moved it
 * @throws ProcUnreadableError, or what `findHome` throws
 */
export async function killContained(
  root: ProcessHandle,
  children: Children,
  findHome: () => Home | undefined,
  belongs: CgroupMount | undefined,
): Promise<void> {
  // After all of them have been looked at, since dying processes take the time of whoever is at work.
  await undefined;
  const isSignalled = children.killGroup(root.pid, root.startTime);
  // In the group of one that was moved into its cgroup there may be another's orphans.
  const isOwnGroup = root.ownSession && isBornInside(root);
  if (!isSignalled && isOwnGroup && root.pid !== ownGroup()) killGroup(root.pid, root);
  await pause(groupMs);
  const home = findHome();
  if (home?.kind !== 'here') return;
  const { folder } = home;
  try {
    if (isPopulated(folder)) {
      if (belongs !== undefined) stepOut(folder, belongs);
      killCgroup(folder);
    }
    for (const ms of pausesMs) {
      if (!isPopulated(folder)) return;
      await pause(ms);
    }
  } catch {
    // Read-only here, or another user's: the signals that follow still do what they can, and the inspection tells.
  }
}

let ownPgrp: number | undefined;

/** Node has no way to change it. */
function ownGroup(): number | undefined {
  ownPgrp ??= readStat(process.pid)?.pgrp;
  return ownPgrp;
}
