import { describeError, type Observation } from '@agent-killswitch/core';
import { shortId } from './container-id.ts';
import type { Engine } from './engine.ts';
import type { DockerHandle } from './handle.ts';

/** Less than the core gives a look, so that there is time to say that the engine was silent. */
const lookMs = 350;

/** What the engine says of the container. `running` is told the pid of one that lives. Never rejects. */
export async function inspectEngine(
  engine: Engine,
  { containerId, engineId }: DockerHandle,
  running: (pid: number) => void,
  signal: AbortSignal,
): Promise<Observation> {
  const it = `container ${shortId(containerId)}`;
  try {
    const state = await engine.inspect(containerId, signal, lookMs);
    if (state === undefined || state.phase === 'ended') {
      // Another engine at the same address would not know it either, or have a copy of it.
      const { engineId: answering } = await engine.info(signal);
      if (answering !== engineId)
        return {
          state: 'unknown',
          evidence: `${it} belongs to another engine than the one that answers here`,
        };
      const said = state === undefined ? `has no ${it}` : `says ${it} is ${state.status}`;
      return { state: 'dead', evidence: `its engine ${said}` };
    }
    if (state.pid > 0) running(state.pid);
    if (state.contradiction !== undefined)
      return {
        state: 'unknown',
        evidence: `its engine contradicts itself: ${it} is ${state.contradiction}`,
      };
    const could = state.phase === 'created' ? ', and could be started' : '';
    return { state: 'alive', evidence: `its engine says ${it} is ${state.status}${could}` };
  } catch (error) {
    return { state: 'unknown', evidence: `${it}: ${describeError(error)}` };
  }
}
