import { setTimeout as sleep } from 'node:timers/promises';
import type { CgroupMounts } from './cgroup-mounts.ts';
import { isFirstAlive } from './first-process.ts';
import type { Local } from './handle.ts';
import { killRest } from './kill-here.ts';
import { evidenceOfDeath, lookHere } from './look-here.ts';
import type { WatchedCgroup } from './watched-cgroup.ts';

/** What the first blow has left by then gets the rest, in milliseconds. */
const restMs = 40;
/** Demands are repeated, each with a watch of its own, in milliseconds. */
const watchMs = 1_000;
/** Between two looks: often while most die, in milliseconds. */
const pauseMs = { first: 2, early: 10, late: 50, isLateAfter: 300 };

/**
 * After {@link killAtOnce}: watches until nothing of the container lives, and deals with what does. Answers the evidence of its
 * death, or `undefined` if it was not over in time. Never rejects: `faults` gets a LocalKillError if the kernel did not allow
 * everything. Closes `watched`.
 */
export async function finishHere(
  containerId: string,
  local: Local,
  mounts: CgroupMounts,
  watched: WatchedCgroup | undefined,
  faults: unknown[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const since = performance.now();
  let ms = 0;
  let hasRest = true;
  for (let pause = pauseMs.first; ms < watchMs && !signal.aborted; ) {
    await sleep(pause);
    ms = performance.now() - since;
    pause = ms > pauseMs.isLateAfter ? pauseMs.late : Math.min(pause * 2, pauseMs.early);
    try {
      const death =
        watched === undefined ? seenHere(containerId, local, mounts) : seenBy(watched, containerId, local);
      if (death !== undefined) {
        watched?.close();
        return death;
      }
      if (!hasRest || (ms <= restMs && watched !== undefined)) continue;
      hasRest = false;
      killRest(containerId, local, mounts);
    } catch (error) {
      faults[0] ??= error;
    }
  }
  watched?.close();
  return undefined;
}

function seenBy(watched: WatchedCgroup, containerId: string, local: Local): string | undefined {
  return watched.isPopulated || isFirstAlive(containerId, local)
    ? undefined
    : evidenceOfDeath(local, 'empty');
}

function seenHere(containerId: string, local: Local, mounts: CgroupMounts): string | undefined {
  const seen = lookHere(containerId, local, mounts);
  return seen.state === 'dead' ? seen.evidence : undefined;
}
