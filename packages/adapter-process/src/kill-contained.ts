import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { isPopulated, killCgroup } from './cgroup.ts';
import type { ProcessHandle } from './handle.ts';
import type { Home } from './home.ts';
import { readStat } from './proc.ts';
import { killGroup } from './signal.ts';

/** Between looks at whether the cgroup is empty. After the last one the rest is left to the search for processes. */
const pausesMs = [2, 8, 32, 128];

/**
 * Kills all that lives in an agent's cgroup, and gives it some time to die: a search for its processes costs least when they
 * are gone. When a thousand agents are killed at once, all their process groups are signalled in one turn of the event loop,
 * which takes a tenth of the time that the kernel takes for cgroups.
 * @param home finds the cgroup, and throws if this very process is in it
 * @throws ProcUnreadableError, or what `home` throws
 */
export async function killContained(root: ProcessHandle, home: () => Home | undefined): Promise<void> {
  if (home()?.kind !== 'here') return;
  if (root.ownSession && readStat(process.pid)?.pgrp !== root.pid) killGroup(root.pid, root);
  await turn();
  const now = home();
  if (now?.kind !== 'here') return;
  const { folder } = now;
  try {
    if (isPopulated(folder)) killCgroup(folder);
    for (const ms of pausesMs) {
      if (!isPopulated(folder)) return;
      await pause(ms);
    }
  } catch {
    // Read-only here, or another user's: the signals that follow still do what they can, and the inspection tells.
  }
}
