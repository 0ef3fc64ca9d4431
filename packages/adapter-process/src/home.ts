import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cgroupMount } from './cgroup-mount.ts';
import { InvalidHandleError, systemCode } from './errors.ts';

/** The cgroup below a host's own that holds its agents' cgroups. */
export const parentName = 'agent-killswitch';
/** Ids hold no separator, and with this before them no dots that mean a folder. */
export const folderName = (agentId: string): string => `agent-${agentId}`;

const pathSchema = z
  .string()
  .max(4_000)
  .regex(/^(\/[^/\p{Cc}]+)+$/u, 'must be a path below the cgroup file system')
  .refine((path) => !path.split('/').some((name) => name === '.' || name === '..'), 'must not hold . or ..');

/** The cgroup that an agent was started in. All of it is needed to tell it from any other that had or will have its path. */
export const cgroupRefSchema = z.strictObject({
  /** Below the mount point of the cgroup file system, as it is called in `view`. */
  path: pathSchema,
  inode: z.string().regex(/^\d{1,20}$/),
  /** The cgroup namespace and the mounted part of the hierarchy in which `path` means anything. */
  view: z.string().min(1).max(4_000),
});
export type CgroupRef = z.infer<typeof cgroupRefSchema>;

/**
 * What became of the cgroup an agent was started in. `gone`: removed, which the kernel allows for an empty one only.
 * `hidden`: it cannot be told from here. `around`: this very process is in it.
 */
export type Home =
  | { readonly kind: 'here'; readonly folder: string; readonly path: string }
  | { readonly kind: 'gone'; readonly folder: string; readonly path: string }
  | { readonly kind: 'hidden'; readonly because: string }
  | { readonly kind: 'around'; readonly folder: string; readonly because: string };

/**
 * Finds the cgroup that a handle names.
 * @throws InvalidHandleError if it is none that this agent can have been started in: nothing else is ever killed by its cgroup
 */
export function homeOf({ path, inode, view }: CgroupRef, agentId: string): Home {
  if (!path.endsWith(`/${parentName}/${folderName(agentId)}`)) {
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
