import { describeError } from '@agent-killswitch/core';
import { freeze, killCgroup, pidsIn, thaw } from './cgroup.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';
import { cgroupPathsOf } from './cgroup-path.ts';
import { LocalKillError, systemCode } from './errors.ts';
import { isFirstAlive } from './first-process.ts';
import type { Local } from './handle.ts';
import { readCgroups } from './process-stat.ts';

/**
 * SIGKILL to everything in the container's cgroup (v2): one write of some 50 µs, after which nothing in there runs any more, unless
 * it is frozen. `local` is of this boot and these namespaces. `false`: the machine cannot, or the kernel does not allow it.
 */
export function killAtOnce(local: Local, mounts: CgroupMounts): boolean {
  const folder = local.cgroup === null ? undefined : mounts.unified(local.cgroup);
  try {
    return folder !== undefined && killCgroup(folder);
  } catch {
    // The rest says why, if it fares no better.
    return false;
  }
}

/**
 * What {@link killAtOnce} may leave, or cannot do: signals to each process, where there is no cgroup v2; the first process, with
 * which the kernel ends all of its pid namespace, also what had the right to move itself out of the cgroup; a thaw.
 * @throws LocalKillError if the kernel does not allow it; whatever could be signalled was.
 */
export function killRest(containerId: string, local: Local, mounts: CgroupMounts): void {
  const freezer = local.freezer === null ? undefined : mounts.freezer(local.freezer);
  const folder = freezer ?? (local.cgroup === null ? undefined : mounts.unified(local.cgroup));
  const faults: unknown[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      faults.push(error);
    }
  };
  if (folder !== undefined && !killAtOnce(local, mounts)) {
    // One after the other, while none of them can fork.
    if (freezer !== undefined) attempt(() => freeze(freezer));
    attempt(() => {
      for (const pid of pidsIn(folder)) attempt(() => killMember(pid, containerId));
    });
  }
  attempt(() => {
    if (isFirstAlive(containerId, local)) send(local.pid);
  });
  if (freezer !== undefined) attempt(() => thaw(freezer));
  if (faults.length === 0) return;
  const said = faults.slice(0, 5).map(describeError).join('; ');
  throw new LocalKillError(`Not everything in the container's cgroup could be signalled: ${said}`, {
    cause: faults[0],
  });
}

/** Its membership is read immediately before: for another to be hit, its pid would have to be given out anew in between. */
function killMember(pid: number, containerId: string): void {
  const { cgroup, freezer } = cgroupPathsOf(readCgroups(pid) ?? '', containerId);
  if (cgroup !== null || freezer !== null) send(pid);
}

function send(pid: number): void {
  if (pid <= 1 || pid === process.pid) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
