import { describeError } from '@agent-killswitch/core';
import { freeze, killCgroup, pidsIn, thaw } from './cgroup.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';
import { cgroupPathsOf } from './cgroup-path.ts';
import { LocalKillError, systemCode } from './errors.ts';
import { isFirstAlive } from './first-process.ts';
import type { Local } from './handle.ts';
import { readCgroups } from './process-stat.ts';

/**
 * SIGKILL to everything in the container, without its engine. `local` is of this boot and these namespaces.
 *
 * The first process gets a signal of its own: with it the kernel ends all of its pid namespace, also what had the right to
 * move itself out of the cgroup.
 * @throws LocalKillError if the kernel does not allow it; whatever could be signalled was.
 */
export function killHere(containerId: string, local: Local, mounts: CgroupMounts): void {
  const unified = local.cgroup === null ? undefined : mounts.unified(local.cgroup);
  const freezer = local.freezer === null ? undefined : mounts.freezer(local.freezer);
  const faults: unknown[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      faults.push(error);
      return undefined;
    }
  };
  const killed = unified !== undefined && attempt(() => killCgroup(unified)) === true;
  const folder = freezer ?? unified;
  if (!killed && folder !== undefined) {
    // One after the other, while none of them can fork: where cgroup v2 does not kill them all at once.
    if (freezer !== undefined) attempt(() => freeze(freezer));
    for (const pid of attempt(() => pidsIn(folder)) ?? []) attempt(() => killMember(pid, containerId));
  }
  if (attempt(() => isFirstAlive(containerId, local)) === true) attempt(() => send(local.pid));
  if (freezer !== undefined) attempt(() => thaw(freezer));
  if (faults.length === 0) return;
  const said = faults.map(describeError).join('; ');
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
