import { InvalidConfigurationError, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import type { DockerClient } from './client.ts';

export interface DockerRuntimeOptions {
  /** The name under which it is registered in the killswitch; it stands in every handle. Default `docker`. */
  readonly runtime?: string;
  /**
   * Names your killswitch with its state store. Set it if another one uses the same engine, and for `sweepOrphans`: agents are
   * told apart by their ids only within one installation. It stands in the labels of every container. Default: none.
   */
  readonly installation?: string;
  /**
   * `auto`: a container whose processes are seen on this machine, in a cgroup that names it, is killed and seen dead there,
   * whatever its engine does. `off`: everything goes through the engine. Default `auto`.
   */
  readonly cgroup?: 'auto' | 'off';
}

const optionsSchema = z.strictObject({
  runtime: idSchema.default('docker'),
  installation: idSchema.optional(),
  cgroup: z.enum(['auto', 'off']).default('auto'),
});
export type RuntimeSettings = z.infer<typeof optionsSchema>;

const methods = ['getContainer', 'createContainer', 'listContainers', 'info'] as const;

/** @throws InvalidConfigurationError naming every fault. */
export function parseOptions(docker: DockerClient, options: unknown): RuntimeSettings {
  const issues = methods
    .filter((name) => typeof docker?.[name] !== 'function')
    .map((name) => `docker: a dockerode client is needed, this has no method ${name}`);
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success)
    issues.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  if (!parsed.success || issues.length > 0) throw new InvalidConfigurationError(issues);
  return parsed.data;
}
