import { shortId } from './container-id.ts';
import type { Engine } from './engine.ts';
import { UnreachableHandleError } from './errors.ts';
import type { DockerHandle } from './handle.ts';

/** How long one run may take in all, in milliseconds. What a hung engine does not take by then is asked of it anew. */
export const engineKillMs = 20_000;

/**
 * Has the engine kill the container, and keep it down. One that has never run is removed, since a kill does nothing to it and it
 * could be started. `running` is told the pid of one that lives, before it is killed.
 * @throws one of the engine's named errors.
 */
export async function engineKill(
  engine: Engine,
  containerId: string,
  running: (pid: number) => void,
  signal: AbortSignal,
): Promise<void> {
  // By its full id, which a kill alone would not insist on: see Engine.
  const state = await engine.inspect(containerId, signal);
  if (state === undefined) return;
  if (state.phase === 'created') return engine.remove(containerId, true, signal);
  if (state.phase === 'living') {
    if (state.pid > 0) running(state.pid);
    await engine.kill(containerId, 'SIGKILL', signal);
  }
  if (state.restarts) await engine.liftRestartPolicy(containerId, signal);
}

/**
 * Has the engine kill again what is up again, and not start it again if it has a mind to. Answers how it stood. `isWanted` is asked
 * right before anything is done to it.
 * @throws one of the engine's named errors; UnreachableHandleError if another engine answers.
 */
export async function engineKeepDown(
  engine: Engine,
  { containerId, engineId }: DockerHandle,
  isWanted: () => boolean,
  running: (pid: number) => void,
  signal: AbortSignal,
): Promise<'gone' | 'down' | 'up'> {
  const state = await engine.inspect(containerId, signal);
  if (state !== undefined && (state.phase !== 'ended' || state.restarts)) {
    if (isWanted()) await engineKill(engine, containerId, running, signal);
    return 'up';
  }
  if ((await engine.info(signal)).engineId !== engineId)
    throw new UnreachableHandleError(`Container ${shortId(containerId)} belongs to another engine`);
  return state === undefined ? 'gone' : 'down';
}

/** Has the engine remove the container, whatever it does. @throws one of the engine's named errors. */
export async function engineForce(engine: Engine, containerId: string, signal: AbortSignal): Promise<void> {
  const state = await engine.inspect(containerId, signal);
  if (state !== undefined) await engine.remove(containerId, true, signal);
}
