import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cgroupMount } from './cgroup-mount.ts';
import { InvalidHandleError, systemCode } from './errors.ts';

/** The cgroup that holds agents' cgroups: below their host's own, or below the one that an adopted process was found in. */
export const parentName = 'agent-killswitch';
/** Born there, or moved there: what shares a session with an adopted process may be another's. */
export type HomeKind = 'agent' | 'adopted';
const kinds: readonly HomeKind[] = ['agent', 'adopted'];
/** Ids hold no separator, and with a word before them no dots that mean a folder. */
export const folderName = (agentId: string, kind: HomeKind = 'agent'): string => `${kind}-${agentId}`;
export const folderNames = (agentId: string): string[] => kinds.map((kind) => folderName(agentId, kind));

/** Where what lives at a path was before it was first adopted: the path itself if it never was. */
export function adoptedBelow(path: string): string {
  const at = path.indexOf(`/${parentName}/${folderName('', 'adopted')}`);
  return at === -1 ? path : path.slice(0, at) || '/';
}

/** Whether a cgroup was made for an adopted agent. */
export function isAdopted(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(folderName('', 'adopted'));
}

/** The cgroup of the agent, at a path or around it, if there is one; the innermost. */
export function homeAround(path: string, agentId: string): string | undefined {
  const names = folderNames(agentId);
  const segments = path.split('/');
  for (let end = segments.length; end > 1; end -= 1) {
    if (segments[end - 2] === parentName && names.includes(segments[end - 1] ?? ''))
      return segments.slice(0, end).join('/');
  }
  return undefined;
}

const pathSchema = z
  .string()
  .max(4_000)
  .regex(/^(\/[^/\p{Cc}]+)+$/u, 'must be a path below the cgroup file system')
  .refine((path) => !path.split('/').some((name) => name === '.' || name === '..'), 'must not hold . or ..');

/** The cgroup that an agent lives in. All of it is needed to tell it from any other that had or will have its path. */
export const cgroupRefSchema = z.strictObject({
  /** Below the mount point of the cgroup file system, as it is called in `view`. */
  path: pathSchema,
  inode: z.string().regex(/^\d{1,20}$/),
  /** The cgroup namespace and the mounted part of the hierarchy in which `path` means anything. */
  view: z.string().min(1).max(4_000),
});
export type CgroupRef = z.infer<typeof cgroupRefSchema>;

/**
 * What became of the cgroup of an agent. `gone`: removed, which the kernel allows for an empty one only.
 * `hidden`: it cannot be told from here. `around`: this very process is in it.
 */
export type Home =
  | { readonly kind: 'here'; readonly folder: string; readonly path: string }
  | { readonly kind: 'gone'; readonly folder: string; readonly path: string }
  | { readonly kind: 'hidden'; readonly because: string }
  | { readonly kind: 'around'; readonly folder: string; readonly because: string };

/**
 * Finds the cgroup that a handle names.
 * @throws InvalidHandleError if it is none that can have been made for this agent: nothing else is ever killed by its cgroup
 */
export function homeOf({ path, inode, view }: CgroupRef, agentId: string): Home {
  if (homeAround(path, agentId) !== path) {
    throw new InvalidHandleError(`Not a cgroup of agent ${agentId}: ${JSON.stringify(path.slice(0, 300))}`);
  }
  const mount = cgroupMount();
  if (mount === undefined) return { kind: 'hidden', because: 'no cgroup file system is mounted here' };
  if (mount.view !== view) {
    return { kind: 'hidden', because: `it is in ${view}, which cannot be seen from ${mount.view}` };
  }
  const folder = join(mount.point, path);
  if (`${mount.own}/`.startsWith(`${path}/`))
    return { kind: 'around', folder, because: 'this very process is in its cgroup' };
  try {
    const found = statSync(folder, { bigint: true }).ino.toString();
    if (found === inode) return { kind: 'here', folder, path };
    return { kind: 'hidden', because: `${path} is another cgroup by now` };
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return { kind: 'gone', folder, path };
    return { kind: 'hidden', because: `${path} cannot be read: ${systemCode(thrown)}` };
  }
}
