import {
  describeError,
  idSchema,
  isKillswitchError,
  isLive,
  type Killswitch,
  parseInput,
} from '@agent-killswitch/core';
import { z } from 'zod';
import type { DockerClient } from './client.ts';
import { Engine, type ListedContainer } from './engine.ts';
import { labelFilters, labelledAgent } from './labels.ts';
import { removeContainer } from './remove-container.ts';

export interface SweepOptions {
  /** Whose agents count, and whose store has to answer. */
  readonly killswitch: Pick<Killswitch, 'agent' | 'list'>;
  /** As for `dockerRuntime`; other containers are never looked at. */
  readonly installation: string;
  /** A container younger than this, by its engine's clock, may belong to an agent that is being started. Default 60,000. */
  readonly creationGraceMs?: number;
  /** Says what it would remove, and removes nothing. Default `false`. */
  readonly dryRun?: boolean;
  /** Ends the sweep early. */
  readonly signal?: AbortSignal;
}

export interface SweepReport {
  /** Why nothing was done at all; absent if the sweep went ahead. */
  readonly skipped?: string;
  /** Containers that no live agent owns: removed, or in a dry run to be removed. */
  readonly orphans: readonly Orphan[];
  /** How many were left alone: owned by a live agent, with a cleanup pending, or too young. */
  readonly kept: number;
}

export interface Orphan {
  readonly containerId: string;
  readonly agentId: string;
  readonly removed: boolean;
  /** Why it could not be removed. */
  readonly error?: string;
}

const optionsSchema = z.object({
  installation: idSchema,
  creationGraceMs: z.number().int().min(0).default(60_000),
  dryRun: z.boolean().default(false),
});

/**
 * Removes the containers that carry this installation's label but belong to no live agent, for example after a crash between
 * creation and start, or a cleanup that failed for good. Call it now and then, and from one host only if you like: two at once do
 * no harm. With a state store that does not answer nobody can be called an orphan, so nothing is done.
 * @throws InvalidInputError, or one of the engine's named errors
 */
export async function sweepOrphans(docker: DockerClient, options: SweepOptions): Promise<SweepReport> {
  const { killswitch, signal = new AbortController().signal } = options;
  const { installation, creationGraceMs, dryRun } = parseInput('sweep', optionsSchema, {
    installation: options.installation,
    creationGraceMs: options.creationGraceMs,
    dryRun: options.dryRun,
  });
  const engine = new Engine(docker);
  const orphans: Orphan[] = [];
  let kept = 0;
  try {
    // Single agents may be known from memory while the store is down; a listing never is.
    await killswitch.list({ everything: true }, { limit: 1 });
    const { now } = await engine.info(signal);
    const containers = await engine.list(labelFilters(installation), signal);
    for (const container of containers) {
      const agentId = labelledAgent(container.labels, installation);
      // By the engine's own clock, so that no host's wrong one makes a new container old.
      const isYoung = now === undefined || now - container.createdAt < creationGraceMs;
      if (agentId === undefined || isYoung || (await isOwned(killswitch, agentId))) kept += 1;
      else orphans.push(await sweep(engine, container, agentId, dryRun, signal));
    }
  } catch (error) {
    if (!isKillswitchError(error, 'state-unavailable')) throw error;
    return { skipped: describeError(error), orphans, kept };
  }
  return { orphans, kept };
}

/** @throws StateUnavailableError if that cannot be said. */
async function isOwned(killswitch: SweepOptions['killswitch'], agentId: string): Promise<boolean> {
  try {
    const agent = await killswitch.agent(agentId);
    return isLive(agent) || agent.ledger.some(({ status }) => status === 'pending');
  } catch (error) {
    if (isKillswitchError(error, 'unknown-target')) return false;
    throw error;
  }
}

async function sweep(
  engine: Engine,
  { containerId }: ListedContainer,
  agentId: string,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<Orphan> {
  if (dryRun) return { containerId, agentId, removed: false };
  try {
    await removeContainer(engine, containerId, undefined, signal);
    return { containerId, agentId, removed: true };
  } catch (error) {
    signal.throwIfAborted();
    return { containerId, agentId, removed: false, error: describeError(error) };
  }
}
