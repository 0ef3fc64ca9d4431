import { type Agent, type CleanupStep, InvalidConfigurationError, idSchema } from '@agent-killswitch/core';
import { z } from 'zod';
import type { DockerClient } from './client.ts';
import { containerIdSchema } from './container-id.ts';
import { Engine } from './engine.ts';
import { labelFilters, labelledAgent } from './labels.ts';
import { pause } from './pause.ts';
import { isAway, removeContainer } from './remove-container.ts';

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
  /**
   * How long one try goes on asking an engine that hangs or is down, in milliseconds; for so long the agent's stop order is not
   * settled. Then the step counts as failed, and the killswitch tries it again, a minute apart at most, until it is done.
   * Default 5,000.
   */
  readonly patienceMs?: number;
}

/** The kind of resource to admit an agent with whose container is yet to be made: `resources: [containerResource]`. */
export const containerResource = { kind: 'container' } as const;

const optionsSchema = z.strictObject({
  runtime: idSchema.default('docker'),
  installation: idSchema.optional(),
  gracefulStopTimeoutSeconds: z.number().min(0).max(3_600).default(10),
  patienceMs: z.number().int().min(0).max(86_400_000).default(5_000),
});

/** Between two tries of an engine that is away, in milliseconds. */
const pauseMs = { first: 250, longest: 2_000 };

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
  const { runtime, installation, gracefulStopTimeoutSeconds, patienceMs } = parsed.data;
  const engine = new Engine(docker);

  const containersOf = async (agent: Agent, signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const ids = new Set(handled(agent, runtime));
    if (!isDeclared(agent)) return ids;
    for (const listed of await engine.list(labelFilters(installation, agent.agentId), signal)) {
      if (labelledAgent(listed.labels, installation) === agent.agentId) ids.add(listed.containerId);
    }
    return ids;
  };

  const remove = async (agent: Agent, signal: AbortSignal): Promise<void> => {
    const grace = agent.status === 'killed' ? undefined : gracefulStopTimeoutSeconds;
    const ids = [...(await containersOf(agent, signal))];
    const ends = await Promise.allSettled(ids.map((id) => removeContainer(engine, id, grace, signal)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };

  return {
    name: 'container',
    // What fails, or is cut off by a restart, stands in the ledger, and is tried again.
    limits: { tries: 1, deadlineMs: patienceMs + (gracefulStopTimeoutSeconds + 30) * 1_000 },
    appliesTo: (agent) => isDeclared(agent) || handled(agent, runtime).length > 0,
    async run(agent, { signal }) {
      const until = performance.now() + patienceMs;
      for (let ms = pauseMs.first; ; ms = Math.min(ms * 2, pauseMs.longest)) {
        try {
          return await remove(agent, signal);
        } catch (error) {
          if (signal.aborted || !isAway(error) || performance.now() > until) throw error;
        }
        await pause(ms, signal);
      }
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
