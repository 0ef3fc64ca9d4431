import type { Engine } from './engine.ts';

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

/** Has the engine not start it again, if it has a mind to. @throws one of the engine's named errors. */
export async function engineKeepDown(
  engine: Engine,
  containerId: string,
  signal: AbortSignal,
): Promise<void> {
  const state = await engine.inspect(containerId, signal);
  if (state?.restarts !== true) return;
  if (state.phase === 'living') await engine.kill(containerId, 'SIGKILL', signal);
  await engine.liftRestartPolicy(containerId, signal);
}

/** Has the engine remove the container, whatever it does. @throws one of the engine's named errors. */
export async function engineForce(engine: Engine, containerId: string, signal: AbortSignal): Promise<void> {
  const state = await engine.inspect(containerId, signal);
  if (state !== undefined) await engine.remove(containerId, true, signal);
}
