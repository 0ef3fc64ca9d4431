import {
  type AuditEvent,
  createKillswitch,
  type Deadlines,
  type KillOutcome,
  type Killswitch,
  type OrderReport,
  type Principal,
} from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import type Docker from 'dockerode';
import { expect } from 'vitest';
import {
  containerRemoval,
  containerResource,
  type DockerRuntime,
  type DockerRuntimeOptions,
  dockerRuntime,
} from '../../src/index.ts';

export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

export interface World {
  readonly ks: Killswitch;
  readonly runtime: DockerRuntime;
  readonly events: () => readonly AuditEvent[];
  /** Admits an agent that is yet to start. */
  admit(agentId: string): Promise<void>;
  /** Admits an agent and says that it runs in this container. */
  enrol(agentId: string, containerId: string): Promise<void>;
  killAll(): Promise<OrderReport>;
  close(): Promise<void>;
}

/** A killswitch in memory with one Docker engine and its cleanup. */
export async function world(
  docker: Docker,
  {
    deadlines,
    removal = true,
    ...options
  }: DockerRuntimeOptions & { deadlines?: Partial<Deadlines>; removal?: boolean } = {},
): Promise<World> {
  const runtime = dockerRuntime(docker, options);
  const audit = memoryAudit();
  const { installation } = options;
  const ks = createKillswitch({
    hostId: 'host',
    state: memoryState(),
    audit,
    runtimes: { docker: runtime },
    cleanup: removal
      ? [
          containerRemoval(docker, {
            gracefulStopTimeoutSeconds: 1,
            ...(installation === undefined ? {} : { installation }),
          }),
        ]
      : [],
    ...(deadlines === undefined ? {} : { deadlines }),
  });
  await ks.start();
  const admit = async (agentId: string): Promise<void> => {
    await ks.admit({
      agentId,
      taskId: `t-${agentId}`,
      workspaceId: 'w',
      ownerId: 'o',
      resources: [containerResource],
    });
  };
  return {
    ks,
    runtime,
    events: () => audit.events(),
    admit,
    async enrol(agentId, containerId) {
      await admit(agentId);
      await ks.running(agentId, [await runtime.adopt(containerId, { agentId })]);
    },
    killAll: () => ks.kill({ everything: true }, { principal: root, reason: 'test' }),
    close: () => ks.close(),
  };
}

export function outcomeOf(report: OrderReport, agentId: string): KillOutcome {
  const outcome = report.outcomes.find((each) => each.agentId === agentId);
  if (outcome === undefined) throw new Error(`No outcome for ${agentId}`);
  return outcome;
}

/** What a look at the agent's first handle says, given as long as the core gives it. */
export async function evidenceOf({ ks, runtime }: World, agentId: string): Promise<string> {
  const [handle] = (await ks.agent(agentId)).handles;
  if (handle === undefined) throw new Error(`${agentId} has no handle`);
  return (await runtime.inspect(handle, { agentId, signal: AbortSignal.timeout(500) })).evidence;
}

/** Not observed dead by the order's deadline, and said so. */
export async function expectUnconfirmed({ ks }: World, report: OrderReport, agentId: string): Promise<void> {
  expect(outcomeOf(report, agentId).outcome).not.toBe('confirmed');
  // The answer is given at the deadline; that it has passed is stored at the next look.
  const isStored = async (): Promise<boolean> => {
    const agent = await ks.agent(agentId);
    return 'kill' in agent && agent.kill.unconfirmedAt !== undefined;
  };
  await expect.poll(isStored, { timeout: 5_000 }).toBe(true);
}
