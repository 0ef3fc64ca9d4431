import { InvalidConfigurationError, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';

const placeSchema = z.strictObject({
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
});

const processSchema = placeSchema.extend({
  /** The name under which the runtime is registered with the killswitch; it stands in every handle. Default `process`. */
  runtime: idSchema.default('process'),
  /**
   * `auto`: agents live in a cgroup (v2) of their own wherever this process may make one, so that none of their descendants
   * can be missed; those that are adopted are moved there. `spawned`: those that are adopted stay in the cgroup they are in.
   * `off`: no cgroup is ever made. Default `auto`.
   */
  cgroup: z.enum(['auto', 'spawned', 'off']).default('auto'),
});
export type ProcessRuntimeOptions = z.input<typeof processSchema>;

const hostedSchema = placeSchema.extend({
  /** The name under which the runtime is registered; it stands in every handle. Default `worker` or `promise`. */
  runtime: idSchema.exactOptional(),
});
/** Of `workerRuntime` and `promiseRuntime`. The other options tell whether an earlier life of the host is over. */
export type HostedRuntimeOptions = z.input<typeof hostedSchema>;

/** @throws InvalidConfigurationError */
export function parseOptions(options: ProcessRuntimeOptions): z.output<typeof processSchema> {
  return parse('processRuntime', processSchema, options);
}

/** @throws InvalidConfigurationError */
export function parseHostedOptions(
  runtime: string,
  options: HostedRuntimeOptions,
): z.output<typeof hostedSchema> & { readonly runtime: string } {
  return { runtime, ...parse(`${runtime}Runtime`, hostedSchema, options) };
}

function parse<T>(factory: string, schema: z.ZodType<T>, options: unknown): T {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new InvalidConfigurationError(
    parsed.error.issues.map((issue) => `${factory} ${issue.path.join('.')}: ${issue.message}`),
  );
}
