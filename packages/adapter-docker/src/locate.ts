import { handleOf } from './adopt.ts';
import type { DockerHandle } from './handle.ts';
import { labelFilters, labelledAgent } from './labels.ts';
import type { Tools } from './tools.ts';

/** As many handles as an agent can have. */
const most = 16;

/**
 * The containers that are labelled for the agent and run or could be started. Labels are part of a container from the moment of
 * its creation, so none is missed that was made by `sandbox()`.
 * @throws one of the engine's named errors, or the signal's reason
 */
export async function locate(
  agentId: string,
  tools: Tools,
  signal: AbortSignal,
): Promise<readonly DockerHandle[]> {
  const { engine, installation } = tools;
  const handles: DockerHandle[] = [];
  for (const { containerId, labels } of await engine.list(labelFilters(installation, agentId), signal)) {
    if (labelledAgent(labels, installation) !== agentId || handles.length === most) continue;
    const state = await engine.inspect(containerId, signal);
    if (state !== undefined && state.phase !== 'ended')
      handles.push(await handleOf(state, agentId, tools, signal));
    else handles.push(...(await seenHere(containerId, agentId, tools, signal)));
  }
  return handles;
}

/** That an engine calls it over is not enough where we can look. */
async function seenHere(
  containerId: string,
  agentId: string,
  { engine, locality, runtime }: Tools,
  signal: AbortSignal,
): Promise<readonly DockerHandle[]> {
  const seen = await locality.search(containerId);
  if (seen === undefined || seen.pids.length === 0) return [];
  const { engineId } = await engine.info(signal);
  return [{ runtime, agentId, containerId, engineId, restarts: false, local: seen.local ?? null }];
}
