import { InvalidConfigurationError, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';

const optionsSchema = z.strictObject({
  /** The name under which the runtime is registered with the killswitch; it stands in every handle. Default `process`. */
  runtime: idSchema.default('process'),
  /**
   * Which machine this is, the same across reboots. It tells a reboot (its processes are gone) from another machine
   * (nothing is known of them). Default: `/etc/machine-id` with the host name. Set it where host names change, as
   * containers' do when they are created anew.
   */
  machineId: z.string().min(1).max(300).optional(),
  /**
   * Whether every host with this `machineId` runs in a pid namespace of its own that ends with it, one host at a time: the
   * rule in containers. Then handles of an earlier namespace are dead. Default `false`: they are `unknown`.
   */
  ownNamespace: z.boolean().default(false),
  /**
   * `auto`: agents that are spawned here live in a cgroup (v2) of their own wherever this process may make one, so that
   * none of their descendants can be missed. `off`: never. Default `auto`.
   */
  cgroup: z.enum(['auto', 'off']).default('auto'),
});
export type ProcessRuntimeOptions = z.input<typeof optionsSchema>;

/** @throws InvalidConfigurationError */
export function parseOptions(options: ProcessRuntimeOptions): z.output<typeof optionsSchema> {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new InvalidConfigurationError(
    parsed.error.issues.map((issue) => `processRuntime ${issue.path.join('.')}: ${issue.message}`),
  );
}
