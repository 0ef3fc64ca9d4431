import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Where this process sees the machine's one hierarchy of cgroups (v2): pure hosts have it at `/sys/fs/cgroup`, hybrid ones below. */
export interface CgroupMount {
  readonly point: string;
  /** What a path below `point` means anything in: the cgroup namespace, and the part of the hierarchy that is mounted. */
  readonly view: string;
  /** The cgroup of this process, as a path below `point` that starts with a slash. */
  readonly own: string;
  /** The part of the hierarchy that is mounted at `point`. */
  readonly root: string;
}

const mountsMs = 1_000;
let mounts:
  | { readonly readAt: number; readonly list: readonly Mount[]; readonly namespace: string }
  | undefined;
let ownOfThisMoment: { readonly path: string | undefined } | undefined;

interface Mount {
  readonly root: string;
  readonly point: string;
}

/**
 * As things are now: a process can be moved. `undefined` if there is none, or this process's own cgroup is not in it. A
 * thousand kills at once must not ask the kernel a thousand times, which answers slowly while cgroups die: mounts are
 * taken to stay for a second, and what is asked without a pause shares an answer about this process.
 */
export function cgroupMount(): CgroupMount | undefined {
  try {
    const path = ownPath();
    if (path === undefined) return undefined;
    if (mounts === undefined || performance.now() - mounts.readAt > mountsMs) mounts = readMounts();
    for (const { root, point } of mounts.list) {
      const own = below(root, path);
      if (own !== undefined) return { point, root, view: `${mounts.namespace} ${root}`, own };
    }
  } catch {
    // No /proc, or no cgroups in this kernel.
  }
  return undefined;
}

/** The cgroup of the process that has these lines in `/proc/<pid>/cgroup`, as a path below `point`; `undefined` if it is not there. */
export function pathIn({ root }: CgroupMount, lines: string): string | undefined {
  const path = v2Path(lines);
  return path === undefined ? undefined : below(root, path);
}

/** This process has just been moved. */
export function forgetOwnPath(): void {
  ownOfThisMoment = undefined;
}

function ownPath(): string | undefined {
  if (ownOfThisMoment === undefined) {
    ownOfThisMoment = { path: v2Path(readFileSync('/proc/self/cgroup', 'latin1')) };
    queueMicrotask(() => {
      ownOfThisMoment = undefined;
    });
  }
  return ownOfThisMoment.path;
}

function v2Path(lines: string): string | undefined {
  return /^0::(\/.*)$/m.exec(lines)?.[1];
}

function readMounts(): NonNullable<typeof mounts> {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
  const list = lines
    .flatMap((line) => parseMount(line) ?? [])
    .filter(({ point }) => existsSync(join(point, 'cgroup.procs')));
  return { readAt: performance.now(), list, namespace: cgroupNamespace() };
}

/** The mounted part of the hierarchy and where it is mounted, if the line of mountinfo is of cgroup v2 (proc_pid_mountinfo(5)). */
export function parseMount(line: string): Mount | undefined {
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
export function cgroupNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/cgroup');
  } catch {
    return 'cgroup:none';
  }
}
