import { readFileSync, readlinkSync } from 'node:fs';

/** Where pids, start times and cgroup paths mean something: one boot of one machine, seen from one set of namespaces. */
export interface Origin {
  readonly bootId: string;
  readonly namespaces: string;
}

/** `undefined` where there is no Linux `/proc` of this process's own: every engine is remote then. */
export function originHere(): Origin | undefined {
  try {
    if (process.platform !== 'linux' || readlinkSync('/proc/self') !== String(process.pid)) return undefined;
    const names = ['pid', 'time', 'cgroup'].map(namespace);
    return {
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      namespaces: names.join(' '),
    };
  } catch {
    return undefined;
  }
}

/** Kernels before 5.6 have no time namespaces, those before 4.6 no cgroup namespaces. */
function namespace(kind: string): string {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return `${kind}:none`;
  }
}
