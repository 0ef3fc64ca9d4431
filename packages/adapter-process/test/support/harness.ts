import { randomUUID } from 'node:crypto';
import type { Handle, Observation, Runtime, RuntimeContext } from '@agent-killswitch/core';
import { UncertainVictimError } from '../../src/index.ts';

const suite = randomUUID().slice(0, 8);

/** An agent id that nobody else on this machine uses, the same for the same name: ids are how agents are told apart. */
export const id = (name: string): string => `${name}-${suite}`;

export const inTime = (agentId: string, ms = 5_000): RuntimeContext => ({
  agentId,
  signal: AbortSignal.timeout(ms),
});

/** Looks until the answer is no longer `alive`, as the core does; rejects if that takes more than 5 s. */
export async function settled(runtime: Runtime, agentId: string, handle: Handle): Promise<Observation> {
  const context = inTime(agentId);
  for (;;) {
    const seen = await runtime.inspect(handle, context);
    if (seen.state !== 'alive') return seen;
  }
}

/**
 * Kills as the core does: demands, looks, and demands again as long as it is not dead, for 10 s at most.
 * @param isEnough what is seen that ends it before
 */
export async function stop(
  runtime: Runtime,
  agentId: string,
  handle: Handle,
  isEnough: (seen: Observation) => boolean = () => false,
): Promise<Observation> {
  const until = performance.now() + 10_000;
  for (;;) {
    await runtime.kill(handle, inTime(agentId)).catch((error: unknown) => {
      if (!(error instanceof UncertainVictimError)) throw error;
    });
    const seen = await settled(runtime, agentId, handle);
    if (seen.state === 'dead' || isEnough(seen) || performance.now() > until) return seen;
  }
}
