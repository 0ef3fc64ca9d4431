import { isKillswitchError } from '@agent-killswitch/core';
import type { Engine } from './engine.ts';
import { pause } from './pause.ts';

/**
 * Removes a container. With a grace in seconds in two phases (REQUIREMENTS C4): it is asked to end and killed when the grace is
 * over, then removed, by force only if that fails. Without a grace by force at once. That it is gone already is success.
 * @throws one of the engine's named errors, or the signal's reason
 */
export async function removeContainer(
  engine: Engine,
  containerId: string,
  graceSeconds: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const state = await engine.inspect(containerId, signal);
  if (state === undefined) return;
  if (graceSeconds !== undefined) {
    try {
      if (state.phase === 'living') await engine.stop(containerId, graceSeconds, signal);
      await engine.remove(containerId, false, signal);
      return;
    } catch (error) {
      // An engine that does not answer would not answer to force either.
      if (signal.aborted || isAway(error)) throw error;
    }
  }
  await engine.remove(containerId, true, signal);
  // A removal that was under way already has been answered before its end.
  for (let ms = 20; (await engine.inspect(containerId, signal)) !== undefined; ms = Math.min(ms * 2, 500)) {
    await pause(ms, signal);
  }
}

/** Whether the engine hangs, or is not there. */
export function isAway(error: unknown): boolean {
  return isKillswitchError(error, 'engine-silent') || isKillswitchError(error, 'engine-unreachable');
}
