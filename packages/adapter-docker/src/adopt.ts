import { idSchema, parseInput } from '@agent-killswitch/core';
import { containerIdSchema, shortId } from './container-id.ts';
import type { ContainerState } from './container-state.ts';
import { InvalidHandleError } from './errors.ts';
import type { DockerHandle } from './handle.ts';
import type { Tools } from './tools.ts';

export interface AdoptOptions {
  readonly agentId: string;
  /** Gives up when it aborts. Default: the engine's own deadlines. */
  readonly signal?: AbortSignal;
}

/** A handle for a container that the engine has. @throws InvalidHandleError, or one of the engine's named errors. */
export async function adopt(
  containerId: string,
  { agentId, signal = new AbortController().signal }: AdoptOptions,
  tools: Tools,
): Promise<DockerHandle> {
  const id = containerIdSchema.safeParse(containerId);
  if (!id.success) throw new InvalidHandleError('Not a full container id: 64 of 0-9 a-f');
  const state = await tools.engine.inspect(id.data, signal);
  if (state === undefined) throw new InvalidHandleError(`The engine has no container ${shortId(id.data)}`);
  return handleOf(state, parseInput('agentId', idSchema, agentId), tools, signal);
}

/** What the engine has just said of a container, and what is seen of it here, as a handle. */
export async function handleOf(
  { containerId, pid, restarts }: ContainerState,
  agentId: string,
  { engine, locality, runtime }: Tools,
  signal: AbortSignal,
): Promise<DockerHandle> {
  const { engineId } = await engine.info(signal);
  const local = locality.capture(containerId, pid) ?? null;
  return { runtime, agentId, containerId, engineId, restarts, local };
}
