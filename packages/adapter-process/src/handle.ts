import { describeError, type Handle, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import { InvalidHandleError } from './errors.ts';
import { cgroupRefSchema } from './home.ts';

const pidSchema = z
  .number()
  .refine((pid) => Number.isSafeInteger(pid) && pid > 1, 'must be a whole number above 1');

/** The route to a process tree. Everything in it is needed to tell this process from any other that had or will have its pid. */
export const processHandleSchema = z.object({
  /** The name under which the runtime is registered. */
  runtime: idSchema,
  pid: pidSchema,
  /** Field 22 of `/proc/<pid>/stat`: when it started, in clock ticks since boot. */
  startTime: z.number().int().nonnegative(),
  /** `/proc/sys/kernel/random/boot_id`, new with every boot. */
  bootId: z.uuid(),
  /** Which machine it is, across reboots: see `machineId` of the options. */
  machineId: z.string().min(1).max(300),
  /** The pid and time namespaces in which `pid` and `startTime` mean anything. */
  namespaces: z.string().min(1).max(100),
  /** The process leads a session of its own, so all members of session `pid` descend from it. */
  ownSession: z.boolean(),
  /** The cgroup it was started in, which holds all that was born of it. Absent if it is held by its mark. */
  cgroup: cgroupRefSchema.exactOptional(),
});
export type ProcessHandle = z.infer<typeof processHandleSchema>;

/** @throws InvalidHandleError if it is malformed, of another runtime, or names this very process. */
export function parseHandle(handle: Handle, runtime: string): ProcessHandle {
  const parsed = parse(handle);
  if (parsed.runtime !== runtime) {
    throw new InvalidHandleError(`A handle of runtime "${parsed.runtime}" was given to runtime "${runtime}"`);
  }
  if (parsed.pid === process.pid) {
    throw new InvalidHandleError(`pid ${parsed.pid} is this very process: end it from outside`);
  }
  return parsed;
}

function parse(handle: unknown): ProcessHandle {
  let issues: string;
  try {
    const result = processHandleSchema.safeParse(handle);
    if (result.success) return result.data;
    issues = result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ');
  } catch (thrown) {
    issues = describeError(thrown);
  }
  throw new InvalidHandleError(`Not a process handle: ${issues}`);
}
