import { describeError, type Handle, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import { isPathOf } from './cgroup-path.ts';
import { containerIdSchema } from './container-id.ts';
import { InvalidHandleError } from './errors.ts';

const pathSchema = z.string().min(2).max(4_096).startsWith('/');

/** What it takes to kill a container and see it dead without any answer of its engine; read from its own processes. */
const localSchema = z.object({
  /** `/proc/sys/kernel/random/boot_id`, new with every boot. */
  bootId: z.uuid(),
  /** The namespaces in which the rest means anything. */
  namespaces: z.string().min(1).max(200),
  /** The first process of the container. */
  pid: z
    .number()
    .int()
    .min(2)
    .max(2 ** 31 - 1),
  /** Field 22 of `/proc/<pid>/stat`: when it started, in clock ticks since boot. */
  startTime: z.number().int().nonnegative(),
  /** Its cgroup (v2), as in `/proc/<pid>/cgroup`; `null` on a machine without. */
  cgroup: pathSchema.nullable(),
  /** Its cgroup of the v1 freezer; `null` on a machine without. */
  freezer: pathSchema.nullable(),
});
export type Local = z.infer<typeof localSchema>;

/** The route to one container. */
export const dockerHandleSchema = z
  .object({
    /** The name under which the runtime is registered. */
    runtime: idSchema,
    /** The agent it was made for; a call for another one is refused. */
    agentId: idSchema,
    containerId: containerIdSchema,
    /** Which engine it is on: that another engine does not know the container says nothing. */
    engineId: z.string().min(1).max(5_000),
    /** Its engine starts it again when it ends, so that an empty cgroup alone is no death. */
    restarts: z.boolean(),
    /** `null` unless its processes were found on this machine when the handle was made. */
    local: localSchema.nullable(),
  })
  .refine(({ containerId, local }) => {
    const paths = [local?.cgroup, local?.freezer].filter((path) => path != null);
    return paths.every((path) => isPathOf(path, containerId));
  }, 'has a cgroup that does not name the container')
  .refine(
    ({ local }) => local === null || local.cgroup !== null || local.freezer !== null,
    'is local without a cgroup',
  );
export type DockerHandle = z.infer<typeof dockerHandleSchema>;

/** @throws InvalidHandleError if it is malformed, of another runtime or another agent. */
export function parseHandle(handle: Handle, runtime: string, agentId: string): DockerHandle {
  const parsed = parse(handle);
  if (parsed.runtime !== runtime) {
    throw new InvalidHandleError(`A handle of runtime "${parsed.runtime}" was given to runtime "${runtime}"`);
  }
  if (parsed.agentId !== agentId) {
    throw new InvalidHandleError(`A handle of agent "${parsed.agentId}" was given for agent "${agentId}"`);
  }
  return parsed;
}

function parse(handle: unknown): DockerHandle {
  let issues: string;
  try {
    const result = dockerHandleSchema.safeParse(handle);
    if (result.success) return result.data;
    issues = result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ');
  } catch (thrown) {
    issues = describeError(thrown);
  }
  throw new InvalidHandleError(`Not a docker handle: ${issues}`);
}
