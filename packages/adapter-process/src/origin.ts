import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { UnsupportedPlatformError } from './errors.ts';
import type { ProcessHandle } from './handle.ts';

/** Where a pid means something. */
export type Origin = Pick<ProcessHandle, 'bootId' | 'machineId' | 'namespaces'>;

/** @throws UnsupportedPlatformError */
export function originHere(machineId = defaultMachineId()): Origin {
  const reason = 'agent processes can only be told apart through Linux /proc';
  if (process.platform !== 'linux') throw new UnsupportedPlatformError(`${process.platform}: ${reason}`);
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) {
      throw new Error('/proc belongs to another pid namespace');
    }
    return {
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      machineId,
      namespaces: `${readlinkSync('/proc/self/ns/pid')} ${timeNamespace()}`,
    };
  } catch (cause) {
    throw new UnsupportedPlatformError(`/proc is missing or not this process's own: ${reason}`, { cause });
  }
}

/** Start times are shifted by the reader's time namespace. Kernels before 5.6 have none. */
function timeNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/time');
  } catch {
    return 'time:none';
  }
}

/** The host name is part of it because copied images often share one `/etc/machine-id`. */
function defaultMachineId(): string {
  try {
    return `${readFileSync('/etc/machine-id', 'latin1').trim()}@${hostname()}`;
  } catch {
    return `@${hostname()}`;
  }
}

/**
 * What a handle's origin says before anyone looks: `here` (pids can be compared), `gone` (it cannot exist any more) or
 * `elsewhere` (it cannot be seen from here). The boot id alone tells a reboot from another machine in no way; both together do.
 */
export function placeOf(
  handle: Origin,
  here: Origin,
  ownNamespace: boolean,
): { readonly place: 'here' | 'gone' | 'elsewhere'; readonly because: string } {
  if (handle.bootId === here.bootId) {
    if (handle.namespaces === here.namespaces) return { place: 'here', because: '' };
    if (ownNamespace && handle.machineId === here.machineId) {
      return { place: 'gone', because: `its pid namespace (${handle.namespaces}) ended with its host` };
    }
    return {
      place: 'elsewhere',
      because: `it was started in ${handle.namespaces}, which cannot be seen from here`,
    };
  }
  if (handle.machineId === here.machineId) {
    return { place: 'gone', because: 'the machine was rebooted since it was started' };
  }
  return { place: 'elsewhere', because: `it was started on another machine (${handle.machineId})` };
}
