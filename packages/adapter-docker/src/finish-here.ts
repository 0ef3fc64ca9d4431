import { setTimeout as sleep } from 'node:timers/promises';
import type { CgroupMounts } from './cgroup-mounts.ts';
import { isFirstAlive } from './first-process.ts';
import type { Local } from './handle.ts';
import { killRest } from './kill-here.ts';
import { evidenceOfDeath, lookHere } from './look-here.ts';
import type { WatchedCgroup } from './watched-cgroup.ts';

/** What the first blow has left by then gets the rest, in milliseconds. */
const restMs = 40;
/** The core looks after a kill; by then most are dead, in milliseconds. */
const settleMs = 150;

/**
 * After {@link killAtOnce}: waits a moment until nothing of the container lives, and deals with what does. Answers the evidence of
 * its death, or `undefined` if it is not over yet.
 * @throws LocalKillError if it is not over, and the kernel did not allow everything.
 */
export async function finishHere(
  containerId: string,
  local: Local,
  mounts: CgroupMounts,
  watched: WatchedCgroup | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const since = performance.now();
  let fault: unknown;
  let hasRest = true;
  for (let pause = 2; ; pause = Math.min(pause * 2, 10)) {
    await sleep(pause);
    const death =
      watched === undefined ? seenHere(containerId, local, mounts) : seenBy(watched, containerId, local);
    if (death !== undefined) return death;
    const ms = performance.now() - since;
    if (hasRest && (ms > restMs || watched === undefined)) {
      hasRest = false;
      try {
        killRest(containerId, local, mounts);
      } catch (error) {
        fault = error;
      }
    }
    if (signal.aborted || ms > settleMs) break;
  }
  if (fault !== undefined) throw fault;
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
