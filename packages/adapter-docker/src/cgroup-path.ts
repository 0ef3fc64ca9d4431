/** Where a container is in the two hierarchies of use; paths as in `/proc/<pid>/cgroup`, ending with its own cgroup. */
export interface CgroupPaths {
  /** In cgroup v2; `null` if it is in none there. */
  readonly cgroup: string | null;
  /** In the freezer hierarchy of cgroup v1; `null` if it is in none there. */
  readonly freezer: string | null;
}

/**
 * A container's cgroups out of the `/proc/<pid>/cgroup` of one of its processes. Only a path that names the container's whole
 * id counts: `/docker/<id>` (cgroupfs driver), `/system.slice/docker-<id>.scope` (systemd driver), any parent, and what
 * lies below, where a container nests cgroups of its own.
 */
export function cgroupPathsOf(text: string, containerId: string): CgroupPaths {
  const paths: { -readonly [Path in keyof CgroupPaths]: CgroupPaths[Path] } = { cgroup: null, freezer: null };
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const own = path === undefined ? undefined : upToContainer(path, containerId);
    if (own === undefined || controllers === undefined) continue;
    if (controllers === '') paths.cgroup = own;
    else if (controllers.split(',').includes('freezer')) paths.freezer = own;
  }
  return paths;
}

/** Every container id that the text names: of one within another, both. */
export function containerIdsIn(text: string): Set<string> {
  const named = text.matchAll(/(?<=\/)(?:[\w.]+-)?([0-9a-f]{64})(?:\.scope)?(?=\/|$)/gm);
  return new Set([...named].map((found) => found[1] ?? ''));
}

/** Whether a path is one that {@link cgroupPathsOf} could have found for this container. */
export function isPathOf(path: string, containerId: string): boolean {
  return upToContainer(path, containerId) === path;
}

function upToContainer(path: string, containerId: string): string | undefined {
  const segments = path.split('/');
  if (segments[0] !== '' || path.includes('\0') || segments.includes('..') || segments.includes('.'))
    return undefined;
  const at = segments.findIndex((segment) => namesContainer(segment, containerId));
  return at === -1 ? undefined : segments.slice(0, at + 1).join('/');
}

function namesContainer(segment: string, containerId: string): boolean {
  const bare = segment.endsWith('.scope') ? segment.slice(0, -'.scope'.length) : segment;
  return bare === containerId || (bare.endsWith(`-${containerId}`) && /^[\w.]+-[0-9a-f]{64}$/.test(bare));
}
