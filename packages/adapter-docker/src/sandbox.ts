import { describeError, type Killswitch, parseInput } from '@agent-killswitch/core';
import { shortId } from './container-id.ts';
import { AgentStoppedError, SandboxFailedError } from './errors.ts';
import type { DockerHandle } from './handle.ts';
import { killRest } from './kill-here.ts';
import { agentLabels } from './labels.ts';
import { createOptions, type SandboxOptions, sandboxOptionsSchema } from './sandbox-options.ts';
import type { Tools } from './tools.ts';

/** A container that runs an agent, known to the killswitch. */
export interface Sandbox {
  readonly containerId: string;
  readonly handle: DockerHandle;
}

export type SandboxHost = Pick<Killswitch, 'agent' | 'running' | 'on'>;

/** How long the engine may take to name the pid of what it has started, or to remove what has failed, in milliseconds. */
const afterMs = 2_000;

/**
 * The container carries its agent's label from its creation on, and the agent was admitted before that: whoever kills it, also
 * after a crash of this process, finds the container. It starts only while nobody has.
 */
export async function sandbox(
  killswitch: SandboxHost,
  options: SandboxOptions,
  tools: Tools,
): Promise<Sandbox> {
  const settings = parseInput('sandbox', sandboxOptionsSchema, options);
  const { agentId } = settings;
  const { engine, runtime, installation } = tools;
  const killed = new AbortController();
  const unlisten = killswitch.on('transition', ({ agent }) => {
    if (agent.agentId === agentId && agent.status !== 'spawning') killed.abort(stopped(agentId));
  });
  try {
    await expectSpawning(killswitch, agentId);
    const { engineId } = await engine.info(killed.signal);
    // Not cut short by a kill: what the engine has begun to create has to be known, to be destroyed.
    const body = createOptions(settings, agentLabels(agentId, installation));
    const containerId = await engine.create(body, new AbortController().signal);
    const handle = { runtime, agentId, containerId, engineId, restarts: false, local: null };
    try {
      // A kill by another host is not heard of here.
      await expectSpawning(killswitch, agentId);
      await engine.start(containerId, killed.signal);
    } catch (error) {
      throw await unstarted(killswitch, handle, tools, killed.signal.aborted ? killed.signal.reason : error);
    }
    unlisten();
    return { containerId, handle: await enrol(killswitch, handle, tools) };
  } finally {
    unlisten();
  }
}

async function expectSpawning(killswitch: SandboxHost, agentId: string): Promise<void> {
  if ((await killswitch.agent(agentId)).status !== 'spawning') throw stopped(agentId);
}

/** Says how the running container is reached, with all that is seen of it on this machine. */
async function enrol(killswitch: SandboxHost, bare: DockerHandle, tools: Tools): Promise<DockerHandle> {
  const { containerId, agentId } = bare;
  const { engine, locality } = tools;
  const state = await engine.inspect(containerId, AbortSignal.timeout(afterMs)).catch(() => undefined);
  const seen = locality.capture(containerId, state?.pid ?? 0);
  const local = seen ?? (await locality.search(containerId).catch(() => undefined))?.local ?? null;
  const handle = { ...bare, local };
  try {
    const agent = await killswitch.running(agentId, [handle]);
    if (agent.status === 'running') return handle;
  } catch (error) {
    await destroy(handle, tools);
    throw failed(containerId, error);
  }
  // What came too late the killswitch destroys by itself.
  throw stopped(agentId);
}

/** Of a start that did not happen, as far as that can be known. The killswitch gets the handle, and sees the end of it. */
async function unstarted(
  killswitch: SandboxHost,
  handle: DockerHandle,
  tools: Tools,
  error: unknown,
): Promise<Error> {
  await killswitch.running(handle.agentId, [handle]).catch(() => undefined);
  await destroy(handle, tools);
  return error instanceof AgentStoppedError ? error : failed(handle.containerId, error);
}

/** As far as it goes at once: the killswitch, the cleanup and the sweeper do the rest. */
async function destroy({ containerId, local }: DockerHandle, { engine, locality }: Tools): Promise<void> {
  try {
    if (local !== null) killRest(containerId, local, locality.mounts);
  } catch {
    // The engine may be able to.
  }
  await engine.remove(containerId, true, AbortSignal.timeout(afterMs)).catch(() => undefined);
}

function stopped(agentId: string): AgentStoppedError {
  return new AgentStoppedError(`Agent "${agentId}" was stopped before its container ran`);
}

function failed(containerId: string, cause: unknown): SandboxFailedError {
  return new SandboxFailedError(
    `Container ${shortId(containerId)} did not come to run: ${describeError(cause)}`,
    {
      cause,
    },
  );
}
