import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Where this process sees the machine's one hierarchy of cgroups (v2): pure hosts have it at `/sys/fs/cgroup`, hybrid ones below. */
export interface CgroupMount {
  readonly point: string;
  /** What a path below `point` means anything in: the cgroup namespace, and the part of the hierarchy that is mounted. */
  readonly view: string;
  /** The cgroup of this process, as a path below `point` that starts with a slash. */
  readonly own: string;
}

let ofThisMoment: { readonly mount: CgroupMount | undefined } | undefined;

/**
 * As things are now: a process can be moved. Only what is asked without a pause shares an answer, so that a thousand kills at
 * once look once, for the kernel answers slowly while cgroups die. `undefined` if there is none, or this process's own
 * cgroup is not in it.
 */
export function cgroupMount(): CgroupMount | undefined {
  if (ofThisMoment === undefined) {
    ofThisMoment = { mount: readMount() };
    queueMicrotask(() => {
      ofThisMoment = undefined;
    });
  }
  return ofThisMoment.mount;
}

function readMount(): CgroupMount | undefined {
  try {
    const path = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'latin1'))?.[1];
    if (path === undefined) return undefined;
    for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
      const mount = parseMount(line);
      const own = mount && below(mount.root, path);
      if (mount === undefined || own === undefined) continue;
      if (!existsSync(join(mount.point, own, 'cgroup.procs'))) continue;
      return { point: mount.point, view: `${cgroupNamespace()} ${mount.root}`, own };
    }
  } catch {
    // No /proc, or no cgroups in this kernel.
  }
  return undefined;
}

/** The mounted part of the hierarchy and where it is mounted, if the line of mountinfo is of cgroup v2 (proc_pid_mountinfo(5)). */
export function parseMount(line: string): { readonly root: string; readonly point: string } | undefined {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root, point] = before.split(' ').map(plain);
  if (!after.startsWith('cgroup2 ') || root === undefined || point === undefined) return undefined;
  return { root, point };
}

/** `path` as it is called below `root`; `undefined` if it is not below it. */
export function below(root: string, path: string): string | undefined {
  if (path.split('/').includes('..')) return undefined;
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

function plain(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Kernels before 4.6 have none. */
function cgroupNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/cgroup');
  } catch {
    return 'cgroup:none';
  }
}
