import { type Agent, type CleanupStep, InvalidConfigurationError, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import type { DockerClient } from './client.ts';
import { containerIdSchema } from './container-id.ts';
import { Engine } from './engine.ts';
import { labelFilters, labelledAgent } from './labels.ts';
import { removeContainer } from './remove-container.ts';

export interface ContainerRemovalOptions {
  /** As for `dockerRuntime`. Default `docker`. */
  readonly runtime?: string;
  /** As for `dockerRuntime`. */
  readonly installation?: string;
  /**
   * How long an agent's container that still runs has to end by itself, unless the agent was killed: then it has no time.
   * Default 10.
   */
  readonly gracefulStopTimeoutSeconds?: number;
}

/** The kind of resource to admit an agent with whose container is yet to be made: `resources: [containerResource]`. */
export const containerResource = { kind: 'container' } as const;

const optionsSchema = z.strictObject({
  runtime: idSchema.default('docker'),
  installation: idSchema.optional(),
  gracefulStopTimeoutSeconds: z.number().min(0).max(3_600).default(10),
});

/**
 * Tries in a row with pauses of 250 ms, 500 ms, …: about 17 minutes for an engine that hangs or is down, with what each try
 * takes. The entry stays pending in the ledger, so a restart goes on with it.
 */
const patience = { tries: 13, backoffMs: 250 };

/**
 * Removes an agent's containers after its end, those of its handles and, if it was admitted with {@link containerResource},
 * those labelled for it. A killed agent's at once by force; any other's is asked to end first, and forced only if that fails.
 * @throws InvalidConfigurationError
 */
export function containerRemoval(docker: DockerClient, options: ContainerRemovalOptions = {}): CleanupStep {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new InvalidConfigurationError(
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  }
  const { runtime, installation, gracefulStopTimeoutSeconds } = parsed.data;
  const engine = new Engine(docker);
  return {
    name: 'container',
    limits: { ...patience, deadlineMs: (gracefulStopTimeoutSeconds + 30) * 1_000 },
    appliesTo: (agent) => isDeclared(agent) || handled(agent, runtime).length > 0,
    async run(agent, { signal }) {
      const ids = new Set(handled(agent, runtime));
      if (isDeclared(agent)) {
        for (const { containerId, labels } of await engine.list(
          labelFilters(installation, agent.agentId),
          signal,
        )) {
          if (labelledAgent(labels, installation) === agent.agentId) ids.add(containerId);
        }
      }
      const grace = agent.status === 'killed' ? undefined : gracefulStopTimeoutSeconds;
      const removals = [...ids].map((id) => removeContainer(engine, id, grace, signal));
      const faults = (await Promise.allSettled(removals)).flatMap((end) =>
        end.status === 'rejected' ? [end.reason] : [],
      );
      if (faults.length > 0) throw faults[0];
    },
  };
}

function isDeclared({ resources }: Agent): boolean {
  return resources.some(({ kind }) => kind === containerResource.kind);
}

/** Full ids only: whatever else a handle holds is nothing to remove by. */
function handled({ handles }: Agent, runtime: string): string[] {
  return handles
    .filter((handle) => handle.runtime === runtime)
    .flatMap(({ containerId }) => containerIdSchema.safeParse(containerId).data ?? []);
}
