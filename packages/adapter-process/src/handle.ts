import { type Handle, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import { InvalidHandleError } from './errors.ts';
import { cgroupRefSchema, isAdopted } from './home.ts';
import { orphanCluesSchema } from './orphans.ts';
import { parsedHandle } from './parsed-handle.ts';

const pidSchema = z
  .number()
  .refine((pid) => Number.isSafeInteger(pid) && pid > 1, 'must be a whole number above 1');

/** Everything in it is needed to tell a process from any other that had or will have its pid. */
export const processIdentitySchema = z.object({
  pid: pidSchema,
  /** Field 22 of `/proc/<pid>/stat`: when it started, in clock ticks since boot. */
  startTime: z.number().int().nonnegative(),
  /** `/proc/sys/kernel/random/boot_id`, new with every boot. */
  bootId: z.uuid(),
  /** Which machine it is, across reboots: see `machineId` of the options. */
  machineId: z.string().min(1).max(300),
  /** The pid and time namespaces in which `pid` and `startTime` mean anything. */
  namespaces: z.string().min(1).max(100),
});

/** The route to a process tree. */
export const processHandleSchema = processIdentitySchema.extend({
  /** The name under which the runtime is registered. */
  runtime: idSchema,
  /** The process leads a session of its own, so all members of session `pid` descend from it. */
  ownSession: z.boolean(),
  /** The cgroup it was started in or moved to, which holds all that was born of it there. Absent if it has none. */
  cgroup: cgroupRefSchema.exactOptional(),
  /** Of an adopted process that may have, or may yet lose, descendants which nothing tells from others. */
  orphans: orphanCluesSchema.exactOptional(),
});
export type ProcessHandle = z.infer<typeof processHandleSchema>;

/** @throws InvalidHandleError if it is malformed, of another runtime, or names this very process. */
export function parseHandle(given: Handle, runtime: string): ProcessHandle {
  const handle = parsedHandle(processHandleSchema, given, runtime);
  if (handle.pid !== process.pid) return handle;
  throw new InvalidHandleError(`pid ${handle.pid} is this very process: end it from outside`);
}

/** Whether it was started in its cgroup, so that all that ever was of it is in there. One that was adopted came in later. */
export function isBornInside({ cgroup }: ProcessHandle): boolean {
  return cgroup !== undefined && !isAdopted(cgroup.path);
}
